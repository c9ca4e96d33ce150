import type { Socket } from 'node:net'
import { type ConnectionOptions, type PeerCertificate, TLSSocket } from 'node:tls'
import type { SMTPPoolOptions } from 'nodemailer'
import { type Login, SmtpChannel } from './smtp-channel.js'

export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** The names in the certificate, such as `DNS:mail.acme.example`. */
  readonly names: string
  readonly issuer: string
  /** The end of its validity, as the certificate has it. */
  readonly validTo: string
}

export interface Capabilities {
  readonly extensions: readonly string[]
  readonly authMethods: readonly string[]
  readonly maxSize: number | null
}

/** How far a conversation with the server came. What was not reached is null or false. */
export interface SmtpSession {
  readonly greeting: { readonly text: string; readonly at: number } | null
  readonly tls: TlsFacts | null
  readonly capabilities: Capabilities
  readonly offersLogin: boolean
  /** The step that failed, and what nodemailer says. */
  readonly failure: { readonly step: 'connection' | 'login' | 'sender'; readonly error: unknown } | null
}

export interface SessionPlan {
  readonly login: Login | null
  /** The address for MAIL FROM. */
  readonly from: string | null
  readonly now: () => number
  readonly stepTimeoutMs: number
}

/**
 * Connects, logs in, and asks whether the address may send: MAIL FROM, then RSET. There is no RCPT TO, so nothing is sent.
 * Never rejects.
 */
export async function converse(options: SMTPPoolOptions, plan: SessionPlan): Promise<SmtpSession> {
  const channel = new SmtpChannel(options, plan.now, plan.stepTimeoutMs)
  const failure = await failureOf(channel, plan)
  const { greeting, extensions, authMethods, maxSize, offersLogin } = channel
  const session: SmtpSession = {
    greeting,
    tls: tlsFactsOf(channel.socket),
    capabilities: { extensions, authMethods, maxSize },
    offersLogin,
    failure,
  }
  channel.close()
  return session
}

async function failureOf(channel: SmtpChannel, { login, from }: SessionPlan): Promise<SmtpSession['failure']> {
  let step: 'connection' | 'login' | 'sender' = 'connection'
  try {
    await channel.connect()
    step = 'login'
    // A server that offers no login gets no password.
    if (login && !channel.offersLogin) return { step, error: null }
    if (login) await channel.login(login)
    step = 'sender'
    if (from === null) return null
    await channel.command('MAIL FROM', `:<${from}>`)
    await channel.command('RSET')
    return null
  } catch (error) {
    return { step, error }
  }
}

/**
 * What a server shows whose TLS was refused: version and certificate. Nothing secret goes over this connection, which
 * trusts anybody: it ends after EHLO.
 */
export async function inspectTls(options: SMTPPoolOptions, plan: SessionPlan): Promise<TlsFacts | null> {
  const tls: ConnectionOptions = {
    ...options.tls,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  }
  const session = await converse({ ...options, tls }, { ...plan, login: null, from: null })
  return session.tls
}

function tlsFactsOf(socket: Socket | null): TlsFacts | null {
  const version = socket instanceof TLSSocket ? socket.getProtocol() : null
  if (!(socket instanceof TLSSocket) || version === null) return null
  const certificate = (socket.getPeerCertificate() as Partial<PeerCertificate> | null) ?? {}
  return {
    version,
    names: certificate.subjectaltname ?? nameOf(certificate.subject?.CN),
    issuer: nameOf(certificate.issuer?.O ?? certificate.issuer?.CN),
    validTo: certificate.valid_to ?? 'no date',
  }
}

function nameOf(name: string | string[] | undefined): string {
  return name === undefined ? 'nobody' : String(name)
}
