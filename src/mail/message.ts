import { randomBytes } from 'node:crypto'
import type { MailSettings } from '../config/mail-settings.js'
import { isLoopback } from '../config/smtp-options.js'
import { type Keys, mac } from '../crypto/keys.js'
import type { Address } from '../identity/address.js'
import type { RenderedMail } from '../views/renderer.js'

/** What a mail carries beside its texts. */
export interface MessageParams {
  readonly to: Address
  /** What its Message-ID is made of: the same for every try at one code. */
  readonly id: readonly string[]
  /** Shown and bound to the origin; null in a mail without one. */
  readonly code: string | null
  readonly origin: string | null
  readonly at: number
}

/** A mail, ready to be handed over as often as it takes. */
export interface ComposedMessage {
  /** As nodemailer takes it: one recipient as an object, never as a string that could name more. */
  readonly message: Readonly<Record<string, unknown>>
  readonly messageId: string
  readonly view: string
  /** What no log and no event may show. */
  readonly secrets: readonly string[]
}

export function buildMessage(
  mailSettings: MailSettings,
  keys: Keys,
  rendered: RenderedMail,
  facts: MessageParams,
): ComposedMessage {
  const domain = mailSettings.from.address.slice(mailSettings.from.address.lastIndexOf('@') + 1)
  const threadId = randomBytes(16).toString('hex')
  const { name, address } = mailSettings.from
  const { to, code, origin } = facts
  // The same for every try at one code, so that a server which took the first drops the second.
  const messageId = `<${mac(keys.message, ...facts.id)
    .toString('hex')
    .slice(0, 32)}@${domain}>`
  const message = {
    from: { name, address },
    to: { name: '', address: to.address },
    ...(mailSettings.replyTo && { replyTo: mailSettings.replyTo }),
    subject: rendered.subject,
    text: rendered.text,
    html: rendered.html,
    date: new Date(facts.at),
    messageId,
    // Gmail folds mails with equal subjects into one thread and hides the newest code; a parent of its own prevents it.
    references: `<${threadId}@${domain}>`,
    xMailer: false,
    headers: {
      'Auto-Submitted': 'auto-generated', // RFC 3834
      'X-Auto-Response-Suppress': 'OOF, AutoReply, DR, RN, NRN',
      'X-Entity-Ref-ID': threadId,
      ...mailSettings.headers,
    },
    ...(code !== null && canBindCode(origin) && { otp: { code, origin } }),
  }
  const local = to.address.slice(0, to.address.lastIndexOf('@'))
  const secrets = [to.address, to.key, local, local.replace(/\+.*/, ''), code ?? '']
  return { message, messageId, view: rendered.view, secrets }
}

/** The last line of the text, which mail programs and browsers read: `@acme.example #482915`. */
export function boundLine(origin: string | null, code: string): string {
  return origin !== null && canBindCode(origin) ? `@${new URL(origin).hostname} #${code}` : ''
}

// draft-goto-otp-token: a code is bound to an https origin, or to this very machine.
function canBindCode(origin: string | null): boolean {
  if (origin === null) return false
  const { protocol, hostname } = new URL(origin)
  return protocol === 'https:' || isLoopback(hostname)
}
