import type { FailureClass } from './smtp/classify.js'

/** What became of the mail of a challenge after the answer was out. */
export interface Fate {
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** Why it has not gone out, or not yet; null when nothing has gone wrong. */
  readonly failureClass: FailureClass | null
}

/** One mail of a challenge: each send moves the time from which the next one is allowed. */
interface Sent {
  readonly id: string
  readonly kind: 'short' | 'long'
  readonly sendId: string
}

const MOST = 10_000
const ANY = ''

/**
 * Remembers it for the page: a mail may fail when nobody's request is there that could write it into a session. In this
 * process only; another one says what the session says. So does this one once the session knows of a newer mail, which
 * may have gone out from elsewhere.
 */
export class Fates {
  readonly #fates = new Map<string, Fate>()

  get(sendId: string): Fate | null {
    return this.#fates.get(sendId) ?? null
  }

  /** Whether some mail with this code went out, so that there is one to type whatever became of later mails. */
  hasSent(sent: Sent): boolean {
    return this.#fates.has(nameOf({ ...sent, sendId: ANY }))
  }

  set(sent: Sent, fate: Fate): void {
    this.#keep(nameOf(sent), fate)
    if (fate.delivery === 'sent') this.#keep(nameOf({ ...sent, sendId: ANY }), fate)
  }

  /** The newest ten thousand stay. */
  #keep(name: string, fate: Fate): void {
    this.#fates.delete(name)
    this.#fates.set(name, fate)
    const [oldest] = this.#fates.keys()
    if (this.#fates.size > MOST && oldest !== undefined) this.#fates.delete(oldest)
  }
}

function nameOf({ id, kind, sendId }: Sent): string {
  return sendId || `${id} ${kind}`
}
