import { type Diagnosis, ok, problem, quote } from './diagnosis.js'
import { connected, explainConnection, unexpected } from './explain-connection.js'
import type { SmtpServer } from './smtp-server.js'
import type { Capabilities, SmtpSession, TlsFacts } from './smtp-session.js'
import { isLoopback } from '../../config/smtp-options.js'
import { classifyFailure, type Failure } from '../../delivery/smtp/classify.js'
import { FAILURE_POLICY } from '../../delivery/smtp/failure-policy.js'

/** Bytes: enough for a mail with a logo. */
const MIN_SIZE = 150_000

/**
 * Connection, TLS, capabilities, login and sender: a line for each step that was reached.
 * @param inspected what the server showed when its TLS was refused
 */
export function smtpDiagnoses(
  server: SmtpServer,
  session: SmtpSession,
  inspected: TlsFacts | null,
  from: string,
): readonly Diagnosis[] {
  const { failure } = session
  if (failure?.step === 'connection') return explainConnection(server, session, inspected)
  const reached = [connected(server, session), tls(server, session), capabilities(session.capabilities)]
  const failed = failure && classifyFailure(failure.error, server.secrets)
  if (failed && failure.step === 'login') return [...reached, session.offersLogin ? loginRefused(failed) : noLogin()]
  if (server.login) reached.push(ok('login', 'The server accepts user and password.'))
  return [...reached, failed ? senderRefused(failed, from) : ok('sender', `The server lets you send as ${from}.`)]
}

function tls({ host }: SmtpServer, session: SmtpSession): Diagnosis {
  if (session.tls) {
    const { version, names, validTo } = session.tls
    return ok('tls', `${version}, certificate of ${quote(names)}, valid to ${quote(validTo)}.`)
  }
  if (isLoopback(host)) return ok('tls', 'No TLS, and none is needed: the server is this machine.')
  const cure = 'Turn on STARTTLS at the server, then remove `mail.allowInsecureSmtp`.'
  return problem('warning', 'tls', `${host} offers no TLS: codes and login go there in clear text.`, cure)
}

function capabilities({ extensions, authMethods, maxSize }: Capabilities): Diagnosis {
  if (maxSize !== null && maxSize < MIN_SIZE) {
    const cure = `Allow ${MIN_SIZE} bytes at the server (message_size_limit in Postfix).`
    return problem('warning', 'capabilities', `The server takes mails of ${maxSize} bytes at most.`, cure)
  }
  const size = maxSize === null ? 'any size' : `up to ${maxSize} bytes`
  const list = (names: readonly string[]): string => names.join(' ') || 'none'
  return ok('capabilities', `Mails of ${size}; login by ${list(authMethods)}; extensions ${list(extensions)}.`)
}

function noLogin(): Diagnosis {
  const cure = 'Use the submission port of the server (587, or 465 with smtps://), or leave user and password out.'
  return problem('error', 'login', 'The server offers no login (AUTH), and `mail.transport` has one.', cure)
}

function loginRefused(failure: Failure): Diagnosis {
  if (failure.failureClass !== 'auth' || failure.isTransient) return unexpected('login', failure)
  const cure =
    'Check user and password of `mail.transport`. Many providers want an app password or an API key here, not the ' +
    'password of the account.'
  return problem('error', 'login', `The server refuses the login: ${failure.text}`, cure)
}

function senderRefused(failure: Failure, from: string): Diagnosis {
  if (failure.failureClass === 'auth') {
    const cure = 'Give user and password in `mail.transport`.'
    return problem('error', 'sender', `The server wants a login first: ${failure.text}`, cure)
  }
  if (failure.failureClass !== 'sender') return unexpected('sender', failure)
  return problem(
    'error',
    'sender',
    `The server refuses ${from} as sender: ${failure.text}`,
    FAILURE_POLICY.sender.advice,
  )
}
