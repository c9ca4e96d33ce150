import { giveBack, halfFullAt, type Limit, take } from '../bucket.js'
import { type CodeKind, sameDigest } from '../code.js'
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
const itself = (moment: number): number => moment

/**
 * Keeps everything in this process: exact, and gone at a restart. For apps of one process. Each act is one synchronous
 * stretch of code, which is what makes it atomic here.
 *
 * `maxEntries` bounds the challenges, and four times as many buckets. When it is full, new ones are refused with an
 * error (the request ends as 503); live counters are never evicted.
 */
export class MemoryStore implements store.OtpStore {
  readonly #challenges: Shelf<Challenge>
  /** When a bucket is full again. One that is full has no entry. */
  readonly #buckets: Shelf<number>
  /** Until when short codes of a user are void, by the bucket `failures` that has been empty. */
  readonly #long: Shelf<number>
  readonly #now: () => number
  readonly #sweeper: NodeJS.Timeout

  constructor(options: { maxEntries?: number; now?: () => number } = {}) {
    const { maxEntries = 50_000, now = Date.now } = options
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new TypeError(`MemoryStore: maxEntries must be a whole number from 1, not ${String(maxEntries)}`)
    }
    this.#challenges = new Shelf(maxEntries, (challenge) => challenge.expires)
    this.#buckets = new Shelf(4 * maxEntries, itself)
    this.#long = new Shelf(4 * maxEntries, itself)
    // Counted from here, moments are small integers for weeks, which take no memory of their own.
    const made = now()
    this.#now = () => now() - made
    this.#sweeper = setInterval(() => {
      for (const shelf of [this.#challenges, this.#buckets, this.#long]) shelf.sweep(this.#now)
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

    const [resendKey, sendsKey] = [`${user} resend:${candidate.id}`, `${user} sends`]
    const again = take(this.#full(resendKey, now), now, request.resend)
    if (!again.granted) return { outcome: 'throttled', bucket: 'resend', retryAfter: again.retryAfter }
    const sent = take(this.#full(sendsKey, now), now, request.sends)
    if (!sent.granted) return { outcome: 'throttled', bucket: 'sends', retryAfter: sent.retryAfter }
    this.#buckets.makeRoom(now, resendKey, sendsKey)
    this.#buckets.set(resendKey, again.full)
    this.#buckets.set(sendsKey, sent.full)

    const long = alive?.kind === 'long' || this.#isVoid(`${user} failures`, request.failures, now)
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
    const bucket = `${user} failures`
    if (kind === 'short' && !this.#takeFailure(bucket, challenge, failures, now)) return { outcome: 'longer' }

    challenge.attemptsLeft -= 1
    if (sameDigest(digest, challenge.digest)) {
      this.#challenges.delete(`${user} ${id}`)
      this.#giveBackFailures(bucket, failures, challenge.taken, now)
      return { outcome: 'redeemed' }
    }
    const escalated = kind === 'short' && this.#isVoid(bucket, failures, now)
    return { outcome: 'mismatch', attemptsLeft: challenge.attemptsLeft, escalated }
  }

  async spend({ user, bucket, permits = 1, ...limit }: store.BucketRequest): Promise<store.SpendOutcome> {
    const now = this.#now()
    const key = `${user} ${bucket}`
    if (permits === -1) {
      this.#giveBack(key, limit, 1, now)
      return { outcome: 'spent' }
    }
    const taken = take(this.#full(key, now), now, limit)
    if (!taken.granted) return { outcome: 'throttled', retryAfter: taken.retryAfter }
    this.#buckets.makeRoom(now, key)
    this.#buckets.set(key, taken.full)
    return { outcome: 'spent' }
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper)
    return Promise.resolve()
  }

  #full(key: string, now: number): number {
    return this.#buckets.get(key, now) ?? -Infinity
  }

  /** The guess is paid for before it is looked at; success gives it back. */
  #takeFailure(key: string, challenge: Challenge, failures: Limit, now: number): boolean {
    if (this.#isVoid(key, failures, now)) return false
    const { full } = take(this.#full(key, now), now, failures)
    this.#buckets.makeRoom(now, key)
    this.#buckets.set(key, full)
    challenge.taken += 1
    return true
  }

  /** Whether short codes are void: from the moment without a permit until half of the capacity is back. */
  #isVoid(key: string, failures: Limit, now: number): boolean {
    if (this.#long.get(key, now) !== undefined) return true
    const full = this.#full(key, now)
    if (take(full, now, failures).granted) return false
    this.#long.set(key, halfFullAt(full, failures))
    return true
  }

  #giveBackFailures(key: string, failures: Limit, permits: number, now: number): void {
    const full = this.#giveBack(key, failures, permits, now)
    if (this.#long.get(key, now) !== undefined) this.#long.set(key, halfFullAt(full, failures))
  }

  #giveBack(key: string, limit: Limit, permits: number, now: number): number {
    const full = giveBack(this.#full(key, now), now, limit, permits)
    if (full > now) this.#buckets.set(key, full)
    else this.#buckets.delete(key)
    return full
  }
}
