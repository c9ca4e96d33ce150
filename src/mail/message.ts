import { randomBytes } from 'node:crypto'
import type { Address } from '../address.js'
import type { CodeKind } from '../code.js'
import { type Keys, mac } from '../keys.js'
import type { RenderedMail } from '../views.js'
import { isLoopback, type MailSettings } from './transport.js'

/** What a mail is about, beside its texts. */
export interface MailFacts {
  readonly to: Address
  readonly challenge: string
  readonly kind: CodeKind
  readonly code: string
  readonly origin: string | null
  readonly at: number
}

/** The message as nodemailer takes it: one recipient as an object, never as a string that could name more. */
export function buildMessage(
  mail: MailSettings,
  keys: Keys,
  rendered: RenderedMail,
  facts: MailFacts,
): Record<string, unknown> {
  const domain = mail.from.address.slice(mail.from.address.lastIndexOf('@') + 1)
  const thread = randomBytes(16).toString('hex')
  const { name, address } = mail.from
  return {
    from: { name, address },
    to: { name: '', address: facts.to.address },
    ...(mail.replyTo && { replyTo: mail.replyTo }),
    subject: rendered.subject,
    text: rendered.text,
    html: rendered.html,
    date: new Date(facts.at),
    // The same for every try at one code, so that a server which took the first drops the second.
    messageId: `<${mac(keys.mail, facts.challenge, facts.kind).toString('hex').slice(0, 32)}@${domain}>`,
    // Gmail folds mails with equal subjects into one thread and hides the newest code; a parent of its own prevents it.
    references: `<${thread}@${domain}>`,
    xMailer: false,
    headers: {
      'Auto-Submitted': 'auto-generated', // RFC 3834
      'X-Auto-Response-Suppress': 'OOF, AutoReply, DR, RN, NRN',
      'X-Entity-Ref-ID': thread,
      ...mail.headers,
    },
    ...(bindsCode(facts.origin) && { otp: { code: facts.code, origin: facts.origin } }),
  }
}

/** The last line of the text, which mail programs and browsers read: `@acme.example #482915`. */
export function boundLine(origin: string | null, code: string): string {
  return origin !== null && bindsCode(origin) ? `@${new URL(origin).hostname} #${code}` : ''
}

// draft-goto-otp-token: a code is bound to an https origin, or to this very machine.
function bindsCode(origin: string | null): boolean {
  if (origin === null) return false
  const { protocol, hostname } = new URL(origin)
  return protocol === 'https:' || isLoopback(hostname)
}
