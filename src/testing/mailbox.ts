import { EventEmitter, once } from 'node:events'
import { parseAddress } from '../identity/address.js'
import { type CodeInMail, CODE_IN_MAIL } from '../mail/message.js'
import { composeMime } from '../mail/mime.js'

/** A mail in a mailbox. */
export interface ReceivedMail {
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The whole mail as MIME, with its headers. */
  readonly raw: string
  /** The code as the mail shows it; null if the mail has none. */
  readonly code: string | null
  /** The three letters that the page shows too; null if the mail has no code. */
  readonly tag: string | null
  readonly at: Date
}

export interface WaitOptions {
  /** Seconds; 4 by default, less than the 5 after which Jest and Vitest end a test without a word about mail. */
  timeout?: number
}

/** More than a test run needs. A server that runs for days keeps the newest. */
const MAX_MAILS = 1_000
const DEFAULT_TIMEOUT = 4

/**
 * A mailbox in memory for everybody, to be used as `mail.transport`. Emits `mail` with each mail.
 * @example
 * ```ts
 * const mailbox = createMailbox()
 * const otp = emailOtp({ ...options, mail: { transport: mailbox, from: 'no-reply@acme.example' } })
 * await agent.post('/2fa/send')
 * const code = await mailbox.codeFor('ana@example.com')
 * ```
 */
export function createMailbox(): Mailbox {
  return new Mailbox()
}

export class Mailbox extends EventEmitter<{ mail: [mail: ReceivedMail] }> {
  #mails: readonly ReceivedMail[] = []

  constructor() {
    super()
    this.setMaxListeners(0) // one for each test that waits
  }

  /** The newest mail first; the newest 1 000 are kept. */
  get mails(): readonly ReceivedMail[] {
    return this.#mails
  }

  /** Composes the mail as it would go out and keeps it. */
  async sendMail(message: Readonly<Record<PropertyKey, unknown>>): Promise<object> {
    const { envelope, messageId, raw } = await composeMime(message)
    const { code, tag } = (message[CODE_IN_MAIL] ?? { code: null, tag: null }) as CodeInMail
    const mail: ReceivedMail = Object.freeze({
      to: envelope.to,
      subject: textOf(message.subject),
      text: textOf(message.text),
      html: textOf(message.html),
      raw: raw.toString(),
      code,
      tag,
      at: new Date(),
    })
    this.#mails = [mail, ...this.#mails].slice(0, MAX_MAILS)
    this.emit('mail', mail)
    return { envelope, messageId, accepted: mail.to, rejected: [] }
  }

  /**
   * The newest code mailed to this address. Waits for one if there is none.
   * @throws Error that names the addresses that did get mail
   */
  async codeFor(address: string, options?: WaitOptions): Promise<string> {
    const wanted = keyOf(address)
    const isWanted = ({ to, code }: ReceivedMail): boolean => code !== null && to.some((one) => keyOf(one) === wanted)
    return String((await this.waitFor(isWanted, options, `code for ${address}`)).code)
  }

  /**
   * The newest mail that `matches`. Waits for one if there is none.
   * @throws Error that names the addresses that did get mail
   */
  async waitFor(
    matches: (mail: ReceivedMail) => boolean,
    { timeout = DEFAULT_TIMEOUT }: WaitOptions = {},
    wanted = 'such mail',
  ): Promise<ReceivedMail> {
    const abort = new AbortController()
    const timer = setTimeout(() => {
      abort.abort()
    }, timeout * 1000)
    try {
      for (;;) {
        const found = this.#mails.find(matches)
        if (found) return found
        await once(this, 'mail', { signal: abort.signal })
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error
      throw new Error(`The mailbox got no ${wanted} within ${timeout} s. ${this.#summary()}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Forgets all mails, such as before each test. */
  clear(): void {
    this.#mails = []
  }

  #summary(): string {
    if (this.#mails.length === 0) return 'It got no mail at all: is it the `mail.transport` of the app?'
    const recipients = this.#mails.map(({ to, code }) => `${to.join(', ')}${code === null ? ' (without a code)' : ''}`)
    return `Mails came for: ${[...new Set(recipients)].join('; ')}.`
  }
}

/** Other mails of the app may have a stream or a buffer here. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function keyOf(address: string): string {
  return parseAddress(address)?.key ?? address.toLowerCase()
}
