import type { SMTPPoolOptions } from 'nodemailer'
import type { Login } from './smtp-channel.js'
import type { MailSettings } from '../../config/mail-settings.js'

/** The server that mails go to, with the options that mails are sent with. */
export interface SmtpServer {
  readonly options: SMTPPoolOptions
  readonly host: string
  readonly port: number
  readonly login: Login | null
  /** Whether nodemailer does something for the connection or the login that is not done here, such as OAuth2. */
  readonly needsNodemailer: boolean
  /** User name, password and the like, in every form that a server may repeat. */
  readonly secrets: readonly string[]
}

/** Of a transport that was made from an URL or from options. */
export function smtpServerOf({ transporter }: Pick<MailSettings, 'transporter'>): SmtpServer {
  // The pool has the options of a `service` too.
  const { options } = (transporter as unknown as { transporter: { options: SMTPPoolOptions } }).transporter
  const auth = (options.auth ?? {}) as Record<string, unknown>
  const { user, pass } = auth
  const isLogin = typeof user === 'string' && typeof pass === 'string' && (auth.type ?? 'login') === 'login'
  const method = auth.method ?? (options as { authMethod?: unknown }).authMethod
  const isDirect = !['proxy', 'socket', 'connection', 'getSocket', 'customAuth'].some((name) => name in options)
  return {
    options,
    host: options.host ?? 'localhost',
    port: Number(options.port) || (options.secure === true ? 465 : 587),
    login: isLogin ? { user, pass, method: typeof method === 'string' ? method : false } : null,
    needsNodemailer: !isDirect || (options.auth !== undefined && !isLogin),
    secrets: secretsOf(options.auth),
  }
}

/** All texts in the login, and their base64: servers repeat what they were sent. */
export function secretsOf(auth: unknown): string[] {
  if (typeof auth === 'string') return auth === '' ? [] : [auth, base64(auth)]
  if (typeof auth !== 'object' || auth === null) return []
  const { user, pass, type, method, ...others } = auth as Record<string, unknown>
  void [type, method] // names of mechanisms
  const plain = typeof user === 'string' && typeof pass === 'string' ? [base64(`\0${user}\0${pass}`)] : []
  return [...plain, ...[user, pass, ...Object.values(others)].flatMap(secretsOf)]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
