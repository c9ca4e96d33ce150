import type { SMTPPoolOptions, SMTPTransportOptions } from 'nodemailer'
import type { OtpRequest } from '../express-types.js'
import type { OtpUser } from '../identity/user.js'
import type { Limit } from '../stores/gcra.js'
import type { OtpStore } from '../stores/store.js'

/** The smallest part of a nodemailer Transporter that sends a mail. */
export interface MailTransporter {
  sendMail(message: Record<string, unknown>): Promise<unknown>
}

/** A mail to be sent by a worker: no code is in it, and nothing of it can be altered. */
export interface MailJob {
  /** What the mail is about, sealed: only `otp.deliverJob()` with the same secret reads it. */
  readonly payload: string
  /** Whom it is for; the sealed part says so too. */
  readonly address: string
  /** The folder of its templates below `views/mail`. */
  readonly view: string
  readonly locale: string
}

/** SMTP options as nodemailer takes them. `debug` and `logger` are refused: they write codes into logs. */
export type SmtpOptions = SMTPTransportOptions | SMTPPoolOptions

/** Which buckets limit what. All durations are seconds. */
export interface LimitOptions {
  /** Mails to one user: 5 at once and one more every 5 760 s, so 15 a day. */
  sendsPerUser?: Partial<Limit>
  /** Mails to typed addresses from one client address (IPv6 by /56): 30, and one more every 120 s. */
  sendsPerIp?: Partial<Limit>
  /** Wrong short codes of one user: 10, and one more every 432 000 s (5 days). Empty means longer codes. */
  failures?: Partial<Limit>
  /** Seconds between two mails of one challenge: 30. */
  resendAfter?: number
}

export interface CodeOptions {
  /** Decimal digits; 6 by default, 8 when only a typed address is proven. */
  digits?: number
  /** Characters to draw from, instead of digits: ASCII letters of one case and digits. */
  alphabet?: string
  /** Characters per code, with `alphabet`. */
  length?: number
  /** Whether the subject line shows the code: `auto` only when a typed address is verified (lock screens). */
  subject?: 'auto' | 'always' | 'never'
}

/** What a verification was about, told to `onVerified`. */
export interface Verification {
  /** The host's user, or `{ id, email }` made of the typed address that was proven. */
  readonly user: OtpUser
  readonly purpose: string
}

/** What a host writes. Required: `secret`, `site.name`, `mail`, and `user` or `typedEmail`. */
export interface OtpOptions {
  /** At least 32 characters each. The first makes, the others still open what they made: so secrets rotate. */
  secret: string | readonly string[]
  /** `origin` such as `https://acme.example`; nothing in a mail or redirect is ever built from the Host header. */
  site: { name: string; origin?: string; supportUrl?: string }
  /** `transport`: an SMTP URL, nodemailer options, or any nodemailer Transporter. */
  mail: {
    transport: string | SmtpOptions | MailTransporter
    from: string
    replyTo?: string
    headers?: Readonly<Record<string, string>>
    /**
     * Sends in clear where the server offers no TLS: codes and password can be read and changed on the way (RFC 8314).
     * For a relay on a network of your own; warns at each start. Beyond this machine TLS is required by default.
     */
    allowInsecureSmtp?: boolean
    /** Mails a second at most, in an even flow; no limit by default. */
    rate?: number
    /**
     * Hands the sending to a queue of your own: called instead of sending, with a job that holds no code and can be kept
     * as JSON. A worker with the same options calls `otp.deliverJob(job)`. What this gives is awaited and otherwise
     * ignored. When it throws, or has not taken the job within five seconds, the mail counts as one that did not go out.
     */
    deliver?: (job: MailJob) => unknown
  }
  /** Who is signed in. */
  user?: (req: OtpRequest) => OtpUser | null | undefined | Promise<OtpUser | null | undefined>
  /** When `user` gives nobody, ask for an address and prove that. `accept` decides which addresses are mailed. */
  typedEmail?: boolean | { accept?: (email: string, req: OtpRequest) => boolean | Promise<boolean> }
  /** Called when a code was right, with the new session in place and before the redirect: sign the person in here. */
  onVerified?: (req: OtpRequest, verification: Verification) => void | Promise<void>
  /** Where the router is mounted; `/2fa` by default. */
  path?: string
  /**
   * The property of `req.session` that holds challenges and grants; `emailOtp:` and `path` by default. Two plugins in one
   * app never see each other's grants as long as theirs differ.
   */
  sessionKey?: string
  /** Path to go to after verifying when no guard asked for a page; the verified page by default. */
  home?: string
  /** Let the page's script press "send" once; true by default when there is a `user`. */
  autoSend?: boolean
  /** Path that a browser is led to when nobody is signed in and no address may be typed. */
  signIn?: string
  code?: CodeOptions
  /** Seconds that a code works; 600 at most, and by default. */
  lifetime?: number
  /** Guesses per code, 1 to 10; 5 by default. */
  attempts?: number
  /** Seconds that a verification opens plain `requireOtp()` routes; 43 200 by default. */
  grantMaxAge?: number
  limits?: LimitOptions
  /** Where challenges and buckets live; `new MemoryStore()` by default, which is for one process. */
  store?: OtpStore
  /** Folder or folders whose files win over the package's, one by one. */
  views?: string | readonly string[]
  /** Default language; `en`. */
  locale?: string
  /** Extra values for page templates, as `custom`. */
  locals?: (req: OtpRequest) => Readonly<Record<string, unknown>>
  /** Content-Security-Policy of our pages, or false when the host sets its own. */
  contentSecurityPolicy?: string | false
  /** Clock in milliseconds, for tests; the default store uses it too. */
  now?: () => number
}
