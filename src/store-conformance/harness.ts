import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { CodeKind } from '../crypto/code.js'
import type { Limit } from '../stores/gcra.js'
import type {
  BucketRequest,
  Candidate,
  ExtraBucket,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  RedeemOutcome,
  SpendOutcome,
} from '../stores/store.js'

/** Cases by their titles. Each is a statement about stores, and a function that checks it. */
export type Cases = Readonly<Record<string, (user: StoreHarness) => Promise<void>>>

type Opened = Extract<OpenOutcome, { outcome: 'opened' }>

/** A limit that no case reaches. */
const UNLIMITED: Limit = { capacity: 1_000, refill: 600 }

/** One user of the store under test, with the limits of one case. Checks the shape of every outcome. */
export class StoreHarness {
  lifetime = 60
  attempts = 5
  sends: OpenRequest['sends'] = UNLIMITED
  resend = UNLIMITED
  failures = UNLIMITED
  extraBuckets: readonly ExtraBucket[] | null = null

  constructor(
    readonly store: OtpStore,
    readonly wait: (seconds: number) => Promise<void>,
    readonly userKey = randomId(),
  ) {}

  /** Another user of the same store. */
  other(userKey = randomId()): StoreHarness {
    return Object.assign(new StoreHarness(this.store, this.wait, userKey), { failures: this.failures })
  }

  /** The same user of another store. */
  at(store: OtpStore): StoreHarness {
    return new StoreHarness(store, this.wait, this.userKey)
  }

  /** Opens the existing challenge again, or else a fresh one. Any outcome is allowed. */
  async tryOpen(existing: string | null = null, fresh = randomId()): Promise<OpenOutcome> {
    const { userKey, lifetime, attempts, sends, resend, failures, extraBuckets } = this
    const opened = await this.store.open({
      user: userKey,
      existing: existing === null ? null : candidate(existing),
      fresh: candidate(fresh),
      lifetime,
      attempts,
      sends,
      resend,
      failures,
      ...(extraBuckets && { extraBuckets }),
    })
    if (opened.outcome === 'throttled') {
      const names = ['sends', 'resend', ...(extraBuckets ?? []).map(({ bucket }) => bucket)]
      assert.ok(names.includes(opened.bucket), 'the outcome names the bucket')
      assertInteger(1, opened.retryAfter, 'retryAfter')
      return opened
    }
    const { outcome, id, repeated, kind, attemptsLeft, expiresIn } = opened
    assert.equal(outcome, 'opened')
    assert.equal(id, repeated ? existing : fresh, 'the id is that of the candidate that was opened')
    assert.equal(typeof repeated, 'boolean')
    assert.ok(['short', 'long'].includes(kind), 'the outcome says which code is valid')
    assertInteger(1, attemptsLeft, 'attemptsLeft')
    assertInteger(1, expiresIn, 'expiresIn')
    return opened
  }

  /** Opens the existing challenge again, or else a fresh one, and must succeed. */
  async open(existing: string | null = null, fresh = randomId()): Promise<Opened> {
    const opened = await this.tryOpen(existing, fresh)
    assert.equal(opened.outcome, 'opened')
    return opened
  }

  redeemRight(id: string, kind: CodeKind = 'short'): Promise<RedeemOutcome> {
    return this.redeemDigest(id, kind, candidate(id)[kind])
  }

  redeemWrong(id: string, kind: CodeKind = 'short'): Promise<RedeemOutcome> {
    return this.redeemDigest(id, kind, fakeDigest(randomId()))
  }

  async redeemDigest(id: string, kind: CodeKind, digest: string): Promise<RedeemOutcome> {
    const { userKey, failures } = this
    const redeemed = await this.store.redeem({ user: userKey, id, kind, digest, failures })
    if (redeemed.outcome !== 'mismatch') {
      const outcomes = ['redeemed', 'exhausted', 'not_found', 'long_code_required']
      assert.ok(outcomes.includes(redeemed.outcome), 'a known outcome')
      return redeemed
    }
    assertInteger(0, redeemed.attemptsLeft, 'attemptsLeft')
    assert.equal(typeof redeemed.escalated, 'boolean')
    return redeemed
  }

  async spend(bucket: string, limit: Limit, permits?: BucketRequest['permits']): Promise<SpendOutcome> {
    const optional = permits === undefined ? {} : { permits }
    const spent = await this.store.spend({ user: this.userKey, bucket, ...limit, ...optional })
    if (spent.outcome === 'throttled') assertInteger(1, spent.retryAfter, 'retryAfter')
    else assert.deepEqual(spent, { outcome: 'spent' })
    return spent
  }
}

/** Random, so that the database may contain data of earlier runs. */
export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

/** Expected outcomes. */
export const expected = {
  redeemed: { outcome: 'redeemed' },
  notFound: { outcome: 'not_found' },
  exhausted: { outcome: 'exhausted' },
  longCodeRequired: { outcome: 'long_code_required' },
  spent: { outcome: 'spent' },
  wrong: (attemptsLeft: number, escalated = false): object => ({
    outcome: 'mismatch',
    attemptsLeft,
    escalated,
  }),
  openThrottled: (bucket: string, retryAfter: number): object => ({
    outcome: 'throttled',
    bucket,
    retryAfter,
  }),
  throttled: (retryAfter: number): object => ({ outcome: 'throttled', retryAfter }),
} as const

/** The number of outcomes of each kind. */
export function tally(outcomes: readonly { readonly outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Runs an operation many times concurrently. */
export function parallel<T>(times: number, operation: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, i) => operation(i)))
}

export function candidate(id: string): Candidate {
  return { id, short: fakeDigest(`short ${id}`), long: fakeDigest(`long ${id}`) }
}

/** As long as the digests that a store receives. A column that truncates them must show. */
export function fakeDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function assertInteger(min: number, value: unknown, name: string): void {
  assert.ok(Number.isSafeInteger(value) && Number(value) >= min, `${name} is a whole number from ${min}`)
}
