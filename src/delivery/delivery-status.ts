import type { OpenChallenge } from '../challenge/records.js'
import type { Clock } from '../clock.js'
import type { FailureClass } from '../events.js'

/** Status of the newest mail of a challenge, shown on the page. */
export interface DeliveryStatus {
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** Why it was not sent, or not yet; null if there was no failure. */
  readonly failureClass: FailureClass | null
}

const MAX_ENTRIES = 10_000

/**
 * The status of recent sends, for the page: a mail may fail when there is no request that could save that in a session.
 * Of this process only; another one shows what the session says.
 */
export class DeliveryStatusCache {
  readonly #clock: Pick<Clock, 'now'>
  readonly #ttlMs: number
  /** In the order of their expiry. */
  readonly #entries = new Map<string, { readonly status: DeliveryStatus; readonly expiresAt: number }>()

  /** @param lifetime seconds that a code works, and that its status is kept */
  constructor(clock: Pick<Clock, 'now'>, lifetime: number) {
    this.#clock = clock
    this.#ttlMs = lifetime * 1000
  }

  get(sendId: string): DeliveryStatus | null {
    const entry = this.#entries.get(sendId)
    return entry && entry.expiresAt > this.#clock.now() ? entry.status : null
  }

  set(challenge: Pick<OpenChallenge, 'id' | 'kind' | 'sendId'>, status: DeliveryStatus): void {
    this.#set(challenge.sendId, status)
    if (status.delivery === 'sent') this.#set(codeKey(challenge), status)
  }

  /** Whether a mail with the same code was sent: then the code can be typed, even if a later mail failed. */
  hasSent(challenge: Pick<OpenChallenge, 'id' | 'kind'>): boolean {
    return this.get(codeKey(challenge)) !== null
  }

  #set(key: string, status: DeliveryStatus): void {
    const now = this.#clock.now()
    this.#entries.delete(key)
    this.#entries.set(key, { status, expiresAt: now + this.#ttlMs })
    for (const [oldest, { expiresAt }] of this.#entries) {
      if (expiresAt > now && this.#entries.size <= MAX_ENTRIES) break
      this.#entries.delete(oldest)
    }
  }
}

/** Contains a space, so it never equals a `sendId`. */
function codeKey({ id, kind }: Pick<OpenChallenge, 'id' | 'kind'>): string {
  return `${id} ${kind}`
}
