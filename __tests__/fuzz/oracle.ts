import { codeIn } from '../helpers/mailbox.js'

/** A session that asked for a code. */
interface Asked {
  readonly jar: string
  /** Id of the user; null for a typed address. */
  readonly user: string | null
  readonly purpose: string
}

interface MailedCode {
  readonly code: string
  readonly tag: string
  /** What the mail says that the code is for, if it is for a payment. */
  readonly payment: string | null
}

/** A right code that was typed in a session. */
interface Typed extends Pick<MailedCode, 'code' | 'payment'> {
  readonly user: string | null
  readonly purpose: string
}

/** Knows from mails and from what was typed which session may pass which guard. Says yes where it cannot know. */
export class Oracle {
  readonly #asked = new Map<string, Asked[]>()
  readonly #mailed = new Map<string, MailedCode>()
  readonly #newest = new Map<string, string>()
  readonly #typed = new Map<string, Typed[]>()
  readonly #paid = new Map<string, string[]>()

  /** A challenge was opened, in a request of this session. */
  asks(tag: string, asked: Asked): void {
    this.#asked.set(tag, [...(this.#asked.get(tag) ?? []), asked])
  }

  mails(text: string): void {
    const code = codeIn({ mail: { text } as never })
    const tag = /Request ([A-Z]{3})\./.exec(text)?.[1] ?? ''
    this.#mailed.set(code, { code, tag, payment: /Pay [a-p]+/.exec(text.replace(/\s+/g, ' '))?.[0] ?? null })
    for (const { jar } of this.#asked.get(tag) ?? []) this.#newest.set(jar, code)
  }

  /** The newest code that this session was mailed. */
  newest(jar: string): string | null {
    return this.#newest.get(jar) ?? null
  }

  /** A session types this. It counts if it is a code that this user asked for in this session. */
  types(jar: string, user: string | null, code: string): void {
    const mailed = this.#mailed.get(code)
    const asked = (this.#asked.get(mailed?.tag ?? '') ?? []).filter((one) => one.jar === jar && one.user === user)
    if (!mailed || asked.length === 0) return
    const { payment } = mailed
    const typed = asked.map(({ purpose }) => ({ code, payment, user, purpose }))
    this.#typed.set(jar, [...(this.#typed.get(jar) ?? []), ...typed])
  }

  /** Whether a guarded handler may run in this session, for this purpose or payment. A payment counts as made. */
  mayPass(jar: string, user: string | null, purpose: string, payment: string | null): boolean {
    const own = (this.#typed.get(jar) ?? []).filter((one) => one.user === user)
    if (purpose === 'access') return own.length > 0
    const fitting = own.filter((one) => one.purpose === purpose && one.payment === payment)
    if (payment === null) return fitting.length > 0
    const payer = `${user} ${payment}`
    const paid = [...(this.#paid.get(jar) ?? []), payer]
    this.#paid.set(jar, paid)
    return paid.filter((one) => one === payer).length <= new Set(fitting.map(({ code }) => code)).size
  }

  /** The session ended. */
  forgets(jar: string): void {
    this.#typed.delete(jar)
    this.#paid.delete(jar)
  }

  get mailedCodes(): number {
    return this.#mailed.size
  }

  /** The codes and full addresses in a text, except addresses that `typed` contains. */
  leaksIn(text: string, typed = ''): string[] {
    const codes = text.match(/(?<!\d)\d{12}(?!\d)|[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}/g) ?? []
    const addresses = /@fuzz\.example/i.test(text) ? (text.match(/[\w.+-]+@fuzz\.example/gi) ?? []) : []
    const known = typed.toLowerCase()
    return [
      ...codes.filter((code) => this.#mailed.has(code)),
      ...addresses.filter((address) => !known.includes(address.toLowerCase())),
    ]
  }
}
