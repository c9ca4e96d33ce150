import { type Diagnosis, ok, problem, quote } from './diagnosis.js'
import type { SmtpServer } from './smtp-server.js'
import type { SmtpSession, TlsFacts } from './smtp-session.js'
import { classifyFailure, type Failure } from '../../delivery/smtp/classify.js'
import { FAILURE_POLICY } from '../../delivery/smtp/failure-policy.js'
import { parseSmtpError } from '../../delivery/smtp/parse-error.js'

export function connected({ host, port }: SmtpServer, { greeting }: SmtpSession): Diagnosis {
  return ok('connection', `${host}:${port} answers: ${quote(greeting?.text ?? '')}`)
}

/** Why there is no connection, or none that is encrypted. */
export function explainConnection(
  server: SmtpServer,
  session: SmtpSession,
  inspected: TlsFacts | null,
): readonly Diagnosis[] {
  const error = session.failure?.error
  const failure = classifyFailure(error, server.secrets)
  if (failure.failureClass !== 'tls') return [noConnection(server, failure, systemCodeOf(error))]
  const { command, replyCode } = parseSmtpError(error)
  const hasNoStarttls = command === 'STARTTLS' && replyCode >= 500
  const explained = hasNoStarttls ? noStarttls(server, failure) : noTls(server, failure, systemCodeOf(error), inspected)
  // With smtps the greeting comes after TLS.
  return session.greeting ? [connected(server, session), explained] : [explained]
}

/** What is not foreseen in particular, with the advice for its class. */
export function unexpected(check: 'connection' | 'tls' | 'login' | 'sender', failure: Failure): Diagnosis {
  const { failureClass, text, isTransient } = failure
  const { advice } = FAILURE_POLICY[failureClass]
  return problem(isTransient ? 'warning' : 'error', check, `It failed (${failureClass}): ${text}`, advice)
}

function noConnection({ host, port }: SmtpServer, failure: Failure, code: string): Diagnosis {
  const where = `${host}:${port}`
  const ports = 'Mail servers take mail of apps on port 587 (smtp://, STARTTLS) and on port 465 (smtps://).'
  if (failure.reason.startsWith('EDNS')) {
    const cure = 'Correct the host in `mail.transport`, or the DNS of this machine.'
    return problem('error', 'connection', `The name ${host} cannot be resolved (${code || 'no address'}).`, cure)
  }
  if (code === 'ECONNREFUSED') {
    return problem('error', 'connection', `${where} refuses connections: no server listens there.`, ports)
  }
  if (/^E(TIMEDOUT|ABORT)/.test(failure.reason)) {
    const cure = `Check host and port, and firewalls: many networks let nothing out to port 25. ${ports}`
    return problem('error', 'connection', `${where} does not answer in time.`, cure)
  }
  if (failure.failureClass === 'blocked') {
    return problem('error', 'connection', `${where} turns us away: ${failure.text}`, FAILURE_POLICY.blocked.advice)
  }
  return unexpected('connection', failure)
}

function noStarttls({ host, port }: SmtpServer, { text }: Failure): Diagnosis {
  const message =
    `${host}:${port} offers no STARTTLS (${text}). It is required, because anybody on the way could read code and ` +
    'password without it.'
  const cure =
    'Use smtps:// on port 465, or turn on TLS at the server. `mail.allowInsecureSmtp` is for a relay in a network of ' +
    'your own.'
  return problem('error', 'tls', message, cure)
}

/** The TLS versions that are refused (RFC 8996). */
const TOO_OLD = /^(SSLv3|TLSv1|TLSv1\.1)$/

function noTls({ host, port }: SmtpServer, failure: Failure, code: string, shown: TlsFacts | null): Diagnosis {
  const names = quote(shown?.names ?? 'no name')
  const tls = (message: string, cure: string): Diagnosis => problem('error', 'tls', message, cure)
  if (shown && TOO_OLD.test(shown.version)) {
    return tls(`${host} speaks ${shown.version} only.`, 'Update the server: TLS 1.2 or newer is required (RFC 8996).')
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const cure = 'Renew it at the server. If it is newer than that, set the clock of this machine.'
    return tls(`The certificate of ${names} expired on ${quote(shown?.validTo ?? 'a past day')}.`, cure)
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const cure = 'Write one of these names as host in `mail.transport`, or give it as `mail.transport.tls.servername`.'
    return tls(`The certificate is for ${names}, not for ${host}.`, cure)
  }
  if (/SELF_SIGNED|UNABLE_TO/.test(code)) {
    const cure = 'Give the certificate of its issuer as `mail.transport.tls.ca`, or install one of a public authority.'
    return tls(`Nobody known vouches for the certificate of ${names}, issued by ${quote(shown?.issuer ?? '?')}.`, cure)
  }
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code)) {
    const cure = 'Use smtp:// (STARTTLS) for port 587 and 25, and smtps:// for port 465.'
    return tls(`${host}:${port} does not begin with TLS.`, cure)
  }
  return unexpected('tls', failure)
}

/** The code of Node, such as ECONNREFUSED, which nodemailer keeps beside its own. */
function systemCodeOf(error: unknown): string {
  const { originalCode } = (error ?? {}) as { originalCode?: unknown }
  return typeof originalCode === 'string' && /^[A-Z0-9_]{1,60}$/.test(originalCode) ? originalCode : ''
}
