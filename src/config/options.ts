import type { SMTPPoolOptions, SMTPTransportOptions } from 'nodemailer'
import type { BrandOptions } from './brand.js'
import type { MailContext, MailRecipient, MailTexts } from './mail.js'
import type { RenderedPage } from './page.js'
import type { HostFunction, OtpRequest, OtpResponse, RenderingResponse } from '../express-types.js'
import type { OtpUser } from '../identity/user.js'
import type { Limit } from '../stores/gcra.js'
import type { OtpStore } from '../stores/store.js'

/** The part of a nodemailer Transporter that we need. */
export interface MailTransporter {
  /**
   * Resolves when the mail is accepted. If the result has `accepted`, that must be exactly the one address; if it has not,
   * `rejected` must name nobody.
   */
  sendMail(message: Record<string, unknown>): Promise<unknown>
  /**
   * Checks connection and login, without a mail. After an outage this decides whether mail flows again; without it a mail
   * to a signed-in user does.
   */
  verify?(): unknown
}

/** A mail for a worker to send. It contains no code, and `deliverJob()` refuses it if it was altered. */
export interface MailJob {
  /** The content of the job, sealed: only `otp.deliverJob()` with the same secret can open it. */
  readonly payload: string
  /** The recipient, who is also named in the sealed part. */
  readonly address: string
  /** The folder of its templates below `views/mail`. */
  readonly view: string
  readonly locale: string
}

/** SMTP options of nodemailer. `debug`, `logger` and `transactionLog` are refused: they write codes into logs. */
export type SmtpOptions = SMTPTransportOptions | SMTPPoolOptions

/** The limits, one bucket each. All durations are seconds. */
export interface LimitOptions {
  /**
   * Mails to one user: 5 at once and one more every 5 760 s, so 15 a day. For a typed address each client network has its
   * own count, and so has each browser that has proven the address.
   */
  sendsPerUser?: Partial<Limit>
  /**
   * Mails to one typed address, whoever asks: 30, and one more every 600 s (144 a day). A browser that has proven the
   * address is not counted.
   */
  sendsPerAddress?: Partial<Limit>
  /** Mails to typed addresses from one client address (IPv6 by /56): 30, and one more every 120 s. */
  sendsPerIp?: Partial<Limit>
  /** Wrong short codes of one user: 10, and one more every 432 000 s (5 days). When it is empty, codes get longer. */
  failures?: Partial<Limit>
  /** Seconds between two mails of one challenge: 30. */
  resendAfter?: number
}

export interface CodeOptions {
  /** Decimal digits; by default 6 for signed-in users and 8 for typed addresses. */
  digits?: number
  /** Characters to draw from, instead of digits: ASCII letters of one case and digits. */
  alphabet?: string
  /** Characters per code, with `alphabet`. */
  length?: number
  /** Whether the subject line shows the code. `auto`: only for typed addresses, because lock screens show subjects. */
  subject?: 'auto' | 'always' | 'never'
}

type Locals = Readonly<Record<string, unknown>>
type RenderedTexts = MailTexts | null | undefined
type FormFields = Readonly<Record<string, string>>

/** What `onVerified` gets. */
export interface Verification {
  /** The signed-in user, or `{ id, email }` of the verified address. */
  readonly user: OtpUser
  readonly purpose: string
}

/** A helper of the host's for templates: pure and synchronous. */
export type TemplateHelper = HostFunction<unknown[], string | number | boolean | null | undefined>

/** The options of `emailOtp()`. Required: `secret`, `site.name`, `mail`, and `user` or `typedEmail`. */
export interface OtpOptions {
  /** At least 32 characters each. To rotate, put a new secret in front: the others still open what they sealed. */
  secret: string | readonly string[]
  /** `origin`: such as `https://acme.example`. Nothing in a mail or redirect is ever built from the Host header. */
  site: { name: string; origin?: string; supportUrl?: string }
  /**
   * `transport`: an SMTP URL, SMTP options of nodemailer, any nodemailer Transporter (SES, sendmail …), or an object with
   * `sendMail` that returns a promise.
   */
  mail: {
    transport: string | SmtpOptions | MailTransporter
    from: string
    replyTo?: string
    headers?: Readonly<Record<string, string>>
    /**
     * Sends without encryption if the server offers no TLS: codes and password can be read and changed on the way
     * (RFC 8314). For a relay in a network of your own; warns at each start. By default TLS is required unless the server
     * is this machine.
     */
    allowInsecureSmtp?: boolean
    /** Mails a second at most, evenly spaced; no limit by default. */
    rate?: number
    /**
     * Called instead of sending, to put the mail into a queue of your own. The job contains no code and can be stored as
     * JSON. A worker with the same options calls `otp.deliverJob(job)`. The result is awaited and then ignored. If this
     * throws or takes longer than five seconds, the mail counts as not sent.
     */
    deliver?: (job: MailJob) => unknown
    /**
     * Extra values for mail templates, as `custom`: a plain object, within five seconds. Called at each send, also for typed
     * addresses that get no mail. If it fails, the mail goes out without them, and a `failed` event tells.
     */
    locals?: HostFunction<[recipient: MailRecipient], Locals | Promise<Locals>>
    /**
     * Makes the whole mail, with React Email and the like, within five seconds; null or undefined to have the templates used.
     * A mail that its reader could not use is replaced by that of the templates, and a `failed` event tells.
     */
    render?: HostFunction<[context: MailContext], RenderedTexts | Promise<RenderedTexts>>
  }
  /** Who is signed in. */
  user?: HostFunction<[req: OtpRequest], OtpUser | null | undefined | Promise<OtpUser | null | undefined>>
  /** When nobody is signed in, ask for an address and verify that. `accept` decides which addresses are mailed. */
  typedEmail?: boolean | { accept?: HostFunction<[email: string, req: OtpRequest], boolean | Promise<boolean>> }
  /** Called after a right code, with the new session in place and before the redirect: sign the visitor in here. */
  onVerified?: HostFunction<[req: OtpRequest, verification: Verification], void | Promise<void>>
  /** Where the router is mounted; `/2fa` by default. */
  path?: string
  /**
   * What a proxy strips in front of the app, such as `/shop`; empty by default. It is put in front of every URL that we make.
   * `home`, `signIn` and other paths of yours are written without it.
   */
  basePath?: string
  /**
   * The property of `req.session` that holds challenges and grants; `emailOtp:` and `path` by default. Two plugins in one
   * app must use different ones, or they accept each other's grants.
   */
  sessionKey?: string
  /** Path to go to after verifying when no guard asked for a page, and the link of the verified page; `/` by default. */
  home?: string
  /** Lets the page's script press "send" once; true by default if there is a `user`. */
  autoSend?: boolean
  /**
   * Path that a browser is redirected to when nobody is signed in and no address may be typed; or a function that makes it
   * with the page to come back to: ``(_req, returnTo) => `/login?next=${encodeURIComponent(returnTo)}` ``.
   */
  signIn?: string | HostFunction<[req: OtpRequest, returnTo: string], string | Promise<string>>
  /**
   * Further origins whose pages may post here with the visitor's cookies, such as `https://app.acme.example` for an app
   * that calls an API of another origin. Exact origins, https beyond this machine, no wildcards; `site.origin` is always
   * one of them. CORS headers are yours to send.
   */
  trustedOrigins?: readonly string[]
  /**
   * Lets a signed-in user tick "Don't ask again in this browser": for 1 to 30 days a cookie then opens plain
   * `requireOtp()` routes, and nothing else. Needs `user`; off by default.
   */
  trustBrowser?: { days: number }
  code?: CodeOptions
  /** Seconds that a code works; 600 at most, and by default. */
  lifetime?: number
  /** Guesses per code, 1 to 10; 5 by default. */
  attempts?: number
  /** Seconds that a verification opens plain `requireOtp()` routes; 43 200 by default. */
  grantMaxAge?: number
  limits?: LimitOptions
  /** Keeps challenges and buckets; `new MemoryStore()` by default, which is for one process. */
  store?: OtpStore
  /** Colours, logo and address for pages and mails. */
  brand?: BrandOptions
  /** Folder or folders whose files replace those of the package, one by one. */
  views?: string | readonly string[]
  /** Default language; `en`. */
  locale?: string
  /** Extra values for page templates, as `custom`. */
  locals?: HostFunction<[req: OtpRequest], Locals | Promise<Locals>>
  /**
   * Helpers for templates: `{ upper: (text: string) => text.toUpperCase() }` for `{{upper site.name}}`. They get the values
   * of the tag, then an object of its `name=value` if there are any. Pure and synchronous; results are texts or numbers, which
   * HTML escapes.
   */
  helpers?: Readonly<Record<string, TemplateHelper>>
  /**
   * Hidden fields for each of our forms, for a host whose own CSRF check stands in front of them:
   * `(req, res) => ({ _csrf: req.csrfToken() })`. Texts only; `for`, `code`, `email` and `trust` are ours.
   */
  formFields?: HostFunction<[req: OtpRequest, res: OtpResponse], FormFields | Promise<FormFields>>
  /**
   * Puts our pages into the host's own layout, made with any template engine. Returns the whole page as HTML; the response is
   * sent here, with its status and headers. If it throws or takes longer than five seconds, the layout in `views` or
   * ours is used, and a `failed` event tells. Problem pages come here too, also those without a session.
   */
  renderPage?: HostFunction<[req: OtpRequest, res: RenderingResponse, page: RenderedPage], string | Promise<string>>
  /** Content-Security-Policy of our pages, or false when the host sets its own. */
  contentSecurityPolicy?: string | false
  /** Clock in milliseconds, for tests; the default store uses it too. */
  now?: () => number
}
