import { monotonic } from '../../clock.js'
import { type CodeKind, sameDigest } from '../../crypto/code.js'
import { MemoryBuckets } from './buckets.js'
import { ExpiringMap, joinKey } from './expiring-map.js'
import type {
  Attempt,
  BucketRequest,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  RedeemOutcome,
  SpendOutcome,
} from '../store.js'

interface Challenge {
  kind: CodeKind
  digest: string
  attemptsLeft: number
  /** Permits that wrong codes of this challenge took from `failures`; the right code refunds them. */
  failuresTaken: number
  expiresAt: number
}

const SWEEP_INTERVAL_MS = 30_000

export interface MemoryStoreOptions {
  /**
   * Maximum number of live challenges; 50 000 by default. The `failures` buckets and all other buckets are limited to
   * four times as many each, so that a flood of sends leaves room to count guesses.
   */
  maxEntries?: number
  /**
   * The clock, in milliseconds, such as `Date.now`; the monotonic clock of Node by default. A clock that is set back
   * extends no lifetime and no wait: then no time has passed since it was last read, at most 30 seconds ago.
   */
  now?: () => number
}

/**
 * Keeps challenges and buckets in the memory of this process. For apps that run as one process; a restart forgets all.
 * Each operation is atomic because it runs synchronously.
 *
 * A full store refuses new challenges and buckets with an error, so the request ends as 503. It never evicts live ones.
 * Anonymous users (typed addresses, networks) can fill only four fifths of each of its three maps: challenges, `failures`
 * buckets, other buckets. So strangers who type any number of addresses from any number of networks cannot keep signed-in
 * users from codes.
 * @example
 * ```ts
 * import { MemoryStore } from 'express-email-otp'
 *
 * const store = new MemoryStore({ maxEntries: 200_000 })
 * ```
 * @throws TypeError if `maxEntries` is not a whole number from 1
 */
export class MemoryStore implements OtpStore {
  readonly #challenges: ExpiringMap<Challenge>
  readonly #buckets: MemoryBuckets
  readonly #now: () => number
  readonly #sweeper: NodeJS.Timeout

  constructor(options: MemoryStoreOptions = {}) {
    const { maxEntries = 50_000, now = () => performance.now() } = options
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new TypeError(`MemoryStore: maxEntries must be a whole number from 1, not ${String(maxEntries)}`)
    }
    this.#challenges = new ExpiringMap(maxEntries, (challenge) => challenge.expiresAt)
    this.#buckets = new MemoryBuckets(4 * maxEntries)
    const elapsed = monotonic(now)
    // Whole numbers below 2^31 (24 days) take no memory of their own in V8.
    this.#now = () => Math.floor(elapsed())
    this.#sweeper = setInterval(() => {
      this.#challenges.sweep(this.#now)
      this.#buckets.sweep(this.#now)
    }, SWEEP_INTERVAL_MS).unref()
  }

  // No operation may contain an await: another one could run there.
  async open(request: OpenRequest): Promise<OpenOutcome> {
    const { user, existing, fresh, sends, extraBuckets = [], isAnonymous = false } = request
    const now = this.#now()
    const found = existing && this.#challenges.get(joinKey(user, existing.id), now)
    const live = found && found.attemptsLeft > 0 ? found : null
    const candidate = live && existing ? existing : fresh
    const key = joinKey(user, candidate.id)
    this.#challenges.ensureCapacity(now, isAnonymous, key)

    const resend = { ...request.resend, bucket: `resend:${candidate.id}` }
    const mails = { bucket: 'sends', ...sends }
    const extras = live ? extraBuckets.filter(({ onlyIfFresh }) => !onlyIfFresh) : extraBuckets
    const empty = this.#buckets.takeAll(user, [resend, mails, ...extras], now, isAnonymous)
    if (empty) {
      const { bucket, retryAfter } = empty
      const name = bucket === resend.bucket ? 'resend' : bucket === mails.bucket ? 'sends' : bucket
      return { outcome: 'throttled', bucket: name, retryAfter }
    }

    const long = this.#buckets.shortCodesDisabled(user, request.failures, now) || live?.kind === 'long'
    const kind = long ? 'long' : 'short'
    const { attemptsLeft, failuresTaken, expiresAt } = live ?? {
      attemptsLeft: request.attempts,
      failuresTaken: 0,
      expiresAt: now + request.lifetime * 1000,
    }
    this.#challenges.set(key, { kind, digest: candidate[kind], attemptsLeft, failuresTaken, expiresAt })
    const expiresIn = Math.ceil((expiresAt - now) / 1000)
    return { outcome: 'opened', id: candidate.id, repeated: live !== null, kind, attemptsLeft, expiresIn }
  }

  async redeem({ user, id, kind, digest, failures, isAnonymous = false }: Attempt): Promise<RedeemOutcome> {
    const now = this.#now()
    const challenge = this.#challenges.get(joinKey(user, id), now)
    if (!challenge) return { outcome: 'not_found' }
    if (challenge.attemptsLeft < 1) return { outcome: 'exhausted' }
    if (kind !== challenge.kind) return { outcome: 'long_code_required' }
    if (kind === 'short') {
      if (this.#buckets.shortCodesDisabled(user, failures, now)) return { outcome: 'long_code_required' }
      // Before the comparison: if there is no room to count wrong codes, right codes must fail in the same way.
      this.#buckets.ensureRoomForFailures(user, now, isAnonymous)
    }

    challenge.attemptsLeft -= 1
    if (sameDigest(digest, challenge.digest)) {
      this.#challenges.delete(joinKey(user, id))
      this.#buckets.refund(user, 'failures', failures, challenge.failuresTaken, now)
      return { outcome: 'redeemed' }
    }
    if (kind === 'short') challenge.failuresTaken += 1
    const escalated = kind === 'short' && this.#buckets.recordFailure(user, failures, now)
    return { outcome: 'mismatch', attemptsLeft: challenge.attemptsLeft, escalated }
  }

  async spend({ user, bucket, permits = 1, isAnonymous = false, ...limit }: BucketRequest): Promise<SpendOutcome> {
    const now = this.#now()
    if (permits === -1) {
      this.#buckets.refund(user, bucket, limit, 1, now)
      return { outcome: 'spent' }
    }
    const empty = this.#buckets.takeAll(user, [{ bucket, ...limit }], now, isAnonymous)
    return empty ? { outcome: 'throttled', retryAfter: empty.retryAfter } : { outcome: 'spent' }
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper)
    return Promise.resolve()
  }
}
