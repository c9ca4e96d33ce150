import type { LogoFile } from '../config/brand.js'
import type { MailSettings } from '../config/mail-settings.js'
import type { Settings, Site } from '../config/settings.js'
import { isLoopback } from '../config/smtp-options.js'
import { unkeyedHash } from '../crypto/keys.js'
import type { Address } from '../identity/address.js'
import type { RenderedMail, Renderer } from '../views/renderer.js'

/** What composing a mail needs. */
export interface ComposeDeps {
  readonly settings: Settings
  readonly views: Renderer
  readonly mailSettings: MailSettings
}

/** What a mail of a code shows, for the mailbox of `express-email-otp/testing`, which need not search in texts of the host's. */
export interface CodeInMail {
  readonly code: string
  readonly tag: string
}

/** A symbol, so that nothing of it is sent, and no JSON has it. */
export const CODE_IN_MAIL = Symbol.for('express-email-otp.codeInMail')

/**
 * One send: the mail that one request asks for. All its attempts are one message; the next send is another one, even with
 * the same code, since mailboxes drop a second mail with a Message-ID that they know (RFC 5322 3.6.4).
 */
export interface Send {
  /** Determines the Message-ID. */
  readonly id: string
  /** Milliseconds, for the Date. */
  readonly at: number
}

/** What a message contains beside its texts. */
interface MessageParams extends Send {
  readonly to: Address
  /** Null in a mail without one. */
  readonly code: string | null
}

/** A mail, ready for any number of send attempts. */
export interface ComposedMail {
  readonly outcome: 'composed'
  /** For nodemailer. The recipient is an object: a string could name several. */
  readonly message: Readonly<Record<PropertyKey, unknown>>
  readonly messageId: string
  /** The folder of its templates. */
  readonly view: string
  /** What no log and no event may show. */
  readonly secrets: readonly string[]
}

export function buildMessage(
  { settings: { site, logoFile }, mailSettings }: ComposeDeps,
  rendered: RenderedMail,
  { to, id, code, at }: MessageParams,
): ComposedMail {
  const { name, address } = mailSettings.from
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const threadId = unkeyedHash(`thread ${id}`)
  // The same for all attempts, so that a mailbox that got the first one can drop the second.
  const messageId = `<${unkeyedHash(id)}@${domain}>`
  const message = {
    from: { name, address },
    to: { name: '', address: to.address },
    ...(mailSettings.replyTo && { replyTo: mailSettings.replyTo }),
    subject: rendered.subject,
    text: rendered.text,
    html: rendered.html,
    ...(logoFile && rendered.html.includes(logoFile.cid) && { attachments: [inlineImage(logoFile)] }),
    date: new Date(at),
    messageId,
    // Gmail groups mails with equal subjects into one thread and hides the newest code. A different parent prevents it.
    references: `<${threadId}@${domain}>`,
    xMailer: false,
    headers: {
      'Auto-Submitted': 'auto-generated', // RFC 3834
      'X-Auto-Response-Suppress': 'OOF, AutoReply, DR, RN, NRN',
      'X-Entity-Ref-ID': threadId,
      ...mailSettings.headers,
    },
    ...(code !== null && canBindCode(site) && { otp: { code, origin: site.origin } }),
  }
  const local = to.address.slice(0, to.address.lastIndexOf('@'))
  const secrets = [to.address, to.key, local, local.replace(/\+.*/, ''), code ?? '']
  return { outcome: 'composed', message, messageId, view: rendered.view, secrets }
}

/** An attachment that the HTML shows. */
function inlineImage({ content, contentType, name, cid }: LogoFile): object {
  return { content, contentType, filename: name, cid, contentDisposition: 'inline' }
}

/** The last line of the text, for autofill in mail clients and browsers: `@acme.example #482915`. */
export function boundLine(site: Site, code: string): string {
  return canBindCode(site) ? `@${site.domain} #${code}` : ''
}

// draft-goto-otp-token: a code can be bound to an https origin, or to this machine.
function canBindCode({ origin, domain }: Site): boolean {
  return origin !== null && domain !== null && (origin.startsWith('https:') || isLoopback(domain))
}
