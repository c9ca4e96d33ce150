import { type CodeKind, sameDigest } from '../../crypto/code.js'
import type { TakeResult } from '../gcra.js'
import { MemoryBuckets } from './buckets.js'
import { ExpiringMap } from './expiring-map.js'
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
  /** Permits that this challenge took from `failures`: what success gives back. */
  failuresTaken: number
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
export class MemoryStore implements OtpStore {
  readonly #challenges: ExpiringMap<Challenge>
  readonly #buckets: MemoryBuckets
  readonly #now: () => number
  readonly #sweeper: NodeJS.Timeout

  constructor(options: { maxEntries?: number; now?: () => number } = {}) {
    const { maxEntries = 50_000, now = Date.now } = options
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new TypeError(`MemoryStore: maxEntries must be a whole number from 1, not ${String(maxEntries)}`)
    }
    this.#challenges = new ExpiringMap(maxEntries, (challenge) => challenge.expires)
    this.#buckets = new MemoryBuckets(4 * maxEntries)
    // Counted from here, moments are small integers for weeks, which take no memory of their own.
    const startedAt = now()
    this.#now = () => now() - startedAt
    this.#sweeper = setInterval(() => {
      this.#challenges.sweep(this.#now)
      this.#buckets.sweep(this.#now)
    }, SWEEP_EVERY_MS).unref()
  }

  // No await inside these acts: nothing comes in between.
  async open(request: OpenRequest): Promise<OpenOutcome> {
    const { user, existing, fresh } = request
    const now = this.#now()
    const found = existing && this.#challenges.get(`${user} ${existing.id}`, now)
    const live = found && found.attemptsLeft > 0 ? found : null
    const candidate = live && existing ? existing : fresh
    const key = `${user} ${candidate.id}`
    this.#challenges.ensureCapacity(now, key)

    const resend = `resend:${candidate.id}`
    const resendTake = this.#buckets.peek(user, resend, request.resend, now)
    const sendsTake = this.#buckets.peek(user, 'sends', request.sends, now)
    if (!resendTake.allowed || !sendsTake.allowed) return throttledOutcome(resendTake, sendsTake)
    this.#buckets.ensureCapacity(user, [resend, 'sends'], now)
    this.#buckets.put(user, resend, resendTake.fullAt, now)
    this.#buckets.put(user, 'sends', sendsTake.fullAt, now)

    const long = this.#buckets.shortCodesDisabled(user, request.failures, now) || live?.kind === 'long'
    const challenge: Challenge = {
      kind: long ? 'long' : 'short',
      digest: long ? candidate.long : candidate.short,
      attemptsLeft: live?.attemptsLeft ?? request.attempts,
      failuresTaken: live?.failuresTaken ?? 0,
      expires: live?.expires ?? now + request.lifetime * 1000,
    }
    this.#challenges.set(key, challenge)
    return {
      outcome: 'opened',
      id: candidate.id,
      repeated: live !== null,
      kind: challenge.kind,
      attemptsLeft: challenge.attemptsLeft,
      expiresIn: Math.ceil((challenge.expires - now) / 1000),
    }
  }

  async redeem({ user, id, kind, digest, failures }: Attempt): Promise<RedeemOutcome> {
    const now = this.#now()
    const challenge = this.#challenges.get(`${user} ${id}`, now)
    if (!challenge) return { outcome: 'not_found' }
    if (challenge.attemptsLeft < 1) return { outcome: 'exhausted' }
    if (kind !== challenge.kind) return { outcome: 'long_code_required' }
    if (kind === 'short') {
      if (this.#buckets.shortCodesDisabled(user, failures, now)) return { outcome: 'long_code_required' }
      // Before anything is compared: where wrong ones find no room to be counted, right ones must fail alike.
      this.#buckets.ensureCapacity(user, ['failures'], now)
    }

    challenge.attemptsLeft -= 1
    if (sameDigest(digest, challenge.digest)) {
      this.#challenges.delete(`${user} ${id}`)
      this.#buckets.refund(user, 'failures', failures, challenge.failuresTaken, now)
      return { outcome: 'redeemed' }
    }
    if (kind === 'short') challenge.failuresTaken += 1
    const escalated = kind === 'short' && this.#buckets.recordFailure(user, failures, now)
    return { outcome: 'mismatch', attemptsLeft: challenge.attemptsLeft, escalated }
  }

  async spend({ user, bucket, permits = 1, ...limit }: BucketRequest): Promise<SpendOutcome> {
    const now = this.#now()
    if (permits === -1) {
      this.#buckets.refund(user, bucket, limit, 1, now)
      return { outcome: 'spent' }
    }
    const failuresTaken = this.#buckets.peek(user, bucket, limit, now)
    if (!failuresTaken.allowed) return { outcome: 'throttled', retryAfter: failuresTaken.retryAfter }
    this.#buckets.ensureCapacity(user, [bucket], now)
    this.#buckets.put(user, bucket, failuresTaken.fullAt, now)
    return { outcome: 'spent' }
  }

  close(): Promise<void> {
    clearInterval(this.#sweeper)
    return Promise.resolve()
  }
}

/** Where both are empty, the longer wait is the true one. */
function throttledOutcome(resend: TakeResult, sends: TakeResult): OpenOutcome {
  const [resendTake, sendsTake] = [retryAfterOf(resend), retryAfterOf(sends)]
  return {
    outcome: 'throttled',
    bucket: sendsTake > resendTake ? 'sends' : 'resend',
    retryAfter: Math.max(resendTake, sendsTake),
  }
}

function retryAfterOf(failuresTaken: TakeResult): number {
  return failuresTaken.allowed ? 0 : failuresTaken.retryAfter
}
