import type { FailureClass } from './failure.js'

/** What became of the mail of a challenge after the answer was out. */
export interface Fate {
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** Why it has not gone out, or not yet; null when nothing has gone wrong. */
  readonly class: FailureClass | null
}

const MOST = 10_000

/**
 * Remembers it for the page: a mail may fail when nobody's request is there that could write it into a session. In this
 * process only; another one says what the session says.
 */
export class Fates {
  readonly #fates = new Map<string, Fate>()

  of(challenge: string): Fate | null {
    return this.#fates.get(challenge) ?? null
  }

  /** The newest ten thousand stay. */
  set(challenge: string, fate: Fate): void {
    this.#fates.delete(challenge)
    this.#fates.set(challenge, fate)
    const [oldest] = this.#fates.keys()
    if (this.#fates.size > MOST && oldest !== undefined) this.#fates.delete(oldest)
  }
}
