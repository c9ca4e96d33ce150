import { EventEmitter } from 'node:events'
import { DEVELOPMENT_ONLY } from '../config/site.js'
import { composeMime } from '../mail/mime.js'
import { type ArrivedMail, readMail } from './arrived-mail.js'
import { requireDevelopment } from './development-only.js'

/** A mail in the inbox. */
export interface InboxMail extends ArrivedMail {
  readonly id: string
  readonly to: readonly string[]
  readonly at: Date
}

const MAX_MAILS = 50
const MAX_BYTES = 5_000_000

/**
 * An inbox for everybody, to be used as `mail.transport`: so the plugin can be tried in an app without any mail server. The
 * workbench shows its mails.
 * @example
 * ```ts
 * const inbox = devInbox()
 * const otp = emailOtp({ ...options, mail: { transport: inbox, from: 'no-reply@acme.example' } })
 * app.use('/workbench', workbench(otp, { inbox }))
 * ```
 * @throws OtpError `invalid_option` with NODE_ENV=production; `emailOtp()` does if `site.origin` is not on this machine
 */
export function devInbox(): DevInbox {
  requireDevelopment('devInbox()')
  return new DevInbox()
}

/** Emits `mail` with each mail. */
export class DevInbox extends EventEmitter<{ mail: [mail: InboxMail] }> {
  readonly [DEVELOPMENT_ONLY] = true
  #mails: readonly InboxMail[] = []
  #count = 0

  constructor() {
    super()
    this.setMaxListeners(0) // one for each open workbench
  }

  /** The newest mail first; the newest 50 are kept, or fewer if they are large. */
  get mails(): readonly InboxMail[] {
    return this.#mails
  }

  find(id: string): InboxMail | null {
    return this.#mails.find((mail) => mail.id === id) ?? null
  }

  /** Composes the mail, reads it as a mail client would, and keeps it. */
  async sendMail(message: Readonly<Record<PropertyKey, unknown>>): Promise<object> {
    const { raw, envelope, messageId } = await composeMime(message)
    const arrived = await readMail(raw)
    const mail = Object.freeze({ ...arrived, id: String(++this.#count), to: envelope.to, at: new Date() })
    this.#mails = newest([mail, ...this.#mails])
    this.emit('mail', mail)
    return { envelope, messageId, accepted: mail.to, rejected: [], response: '250 The mail is in the inbox.' }
  }

  /** There is no connection that could fail. */
  verify(): Promise<true> {
    return Promise.resolve(true)
  }

  clear(): void {
    this.#mails = []
  }
}

function newest(mails: readonly InboxMail[]): readonly InboxMail[] {
  let bytes = 0
  return mails.slice(0, MAX_MAILS).filter(({ raw }, i) => (bytes += raw.length) <= MAX_BYTES || i === 0)
}
