import type { Taken } from '../bucket.js'
import { type CodeKind, sameDigest } from '../code.js'
import { MemoryBuckets } from './memory-buckets.js'
import { Shelf } from './shelf.js'
import type * as store from './store.js'

interface Challenge {
  kind: CodeKind
  digest: string
  attemptsLeft: number
  /** Permits that this challenge took from `failures`: what success gives back. */
  taken: number
  expires: number
}

const SWEEP_EVERY_MS = 30_000

/**
 * Keeps everything in this process: exact, and gone at a restart. For apps of one process. Each act is one synchronous
 * stretch of code, which is what makes it atomic here.
 *
 * `maxEntries` bounds the challenges, and four times as many buckets of either kind (`failures`, and all others: so that
 * a flood of sends leaves room to count guesses). What is full refuses what is new with an error (the request ends as
 * 503); live counters are never evicted.
 */
export class MemoryStore implements store.OtpStore {
  readonly #challenges: Shelf<Challenge>
  readonly #buckets: MemoryBuckets
  readonly #now: () => number
  readonly #sweeper: NodeJS.Timeout

  constructor(options: { maxEntries?: number; now?: () => number } = {}) {
    const { maxEntries = 50_000, now = Date.now } = options
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new TypeError(`MemoryStore: maxEntries must be a whole number from 1, not ${String(maxEntries)}`)
    }
    this.#challenges = new Shelf(maxEntries, (challenge) => challenge.expires)
    this.#buckets = new MemoryBuckets(4 * maxEntries)
    // Counted from here, moments are small integers for weeks, which take no memory of their own.
    const made = now()
    this.#now = () => now() - made
    this.#sweeper = setInterval(() => {
      this.#challenges.sweep(this.#now)
      this.#buckets.sweep(this.#now)
    }, SWEEP_EVERY_MS).unref()
  }

  // No await inside these acts: nothing comes in between.
  async open(request: store.OpenRequest): Promise<store.OpenOutcome> {
    const { user, repeat, begin } = request
    const now = this.#now()
    const known = repeat && this.#challenges.get(`${user} ${repeat.id}`, now)
    const alive = known && known.attemptsLeft > 0 ? known : null
    const candidate = alive && repeat ? repeat : begin
    const key = `${user} ${candidate.id}`
    this.#challenges.makeRoom(now, key)

    const resend = `resend:${candidate.id}`
    const again = this.#buckets.look(user, resend, request.resend, now)
    const sent = this.#buckets.look(user, 'sends', request.sends, now)
    if (!again.granted || !sent.granted) return refusal(again, sent)
    this.#buckets.makeRoom(user, [resend, 'sends'], now)
    this.#buckets.keep(user, resend, again.full, now)
    this.#buckets.keep(user, 'sends', sent.full, now)

    const long = this.#buckets.isVoid(user, request.failures, now) || alive?.kind === 'long'
    const challenge: Challenge = {
      kind: long ? 'long' : 'short',
      digest: long ? candidate.long : candidate.short,
      attemptsLeft: alive?.attemptsLeft ?? request.attempts,
      taken: alive?.taken ?? 0,
      expires: alive?.expires ?? now + request.lifetime * 1000,
    }
    this.#challenges.set(key, challenge)
    return {
      outcome: 'opened',
      id: candidate.id,
      repeated: alive !== null,
      kind: challenge.kind,
      attemptsLeft: challenge.attemptsLeft,
      expiresIn: Math.ceil((challenge.expires - now) / 1000),
    }
  }

  async redeem({ user, id, kind, digest, failures }: store.Attempt): Promise<store.RedeemOutcome> {
    const now = this.#now()
    const challenge = this.#challenges.get(`${user} ${id}`, now)
    if (!challenge) return { outcome: 'absent' }
    if (challenge.attemptsLeft < 1) return { outcome: 'exhausted' }
    if (kind !== challenge.kind) return { outcome: 'longer' }
    if (kind === 'short') {
      if (this.#buckets.isVoid(user, failures, now)) return { outcome: 'longer' }
      // Before anything is compared: where wrong ones find no room to be counted, right ones must fail alike.
      this.#buckets.makeRoom(user, ['failures'], now)
    }

    challenge.attemptsLeft -= 1
    if (sameDigest(digest, challenge.digest)) {
      this.#challenges.delete(`${user} ${id}`)
      this.#buckets.giveBack(user, 'failures', failures, challenge.taken, now)
      return { outcome: 'redeemed' }
    }
    if (kind === 'short') challenge.taken += 1
    const escalated = kind === 'short' && this.#buckets.fail(user, failures, now)
    return { outcome: 'mismatch', attemptsLeft: challenge.attemptsLeft, escalated }
  }

  async spend({ user, bucket, permits = 1, ...limit }: store.BucketRequest): Promise<store.SpendOutcome> {
    const now = this.#now()
    if (permits === -1) {
      this.#buckets.giveBack(user, bucket, limit, 1, now)
      return { outcome: 'spent' }
    }
    const taken = this.#buckets.look(user, bucket, limit, now)
    if (!taken.granted) return { outcome: 'throttled', retryAfter: taken.retryAfter }
    this.#buckets.makeRoom(user, [bucket], now)
    this.#buckets.keep(user, bucket, taken.full, now)
    return { outcome: 'spent' }
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper)
    return Promise.resolve()
  }
}

/** Where both are empty, the longer wait is the true one. */
function refusal(resend: Taken, sends: Taken): store.OpenOutcome {
  const [again, sent] = [waitFor(resend), waitFor(sends)]
  return { outcome: 'throttled', bucket: sent > again ? 'sends' : 'resend', retryAfter: Math.max(again, sent) }
}

function waitFor(taken: Taken): number {
  return taken.granted ? 0 : taken.retryAfter
}
