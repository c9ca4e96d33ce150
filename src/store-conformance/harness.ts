import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { CodeKind } from '../crypto/code.js'
import type { Limit } from '../stores/gcra.js'
import type { BucketRequest, Candidate, OpenOutcome, OtpStore, RedeemOutcome, SpendOutcome } from '../stores/store.js'

/** Sentences, and how to find out whether a store keeps them. */
export type Cases = Readonly<Record<string, (ana: Scene) => Promise<void>>>

type Opened = Extract<OpenOutcome, { outcome: 'opened' }>

/** Roomy enough that a case runs into no limit but the one that it sets. */
const ROOMY: Limit = { capacity: 1_000, refill: 600 }

/** One user at a store under test, with the limits of one case. Every outcome is looked at for its shape. */
export class Scene {
  lifetime = 60
  attempts = 5
  sends = ROOMY
  resend = ROOMY
  failures = ROOMY

  constructor(
    readonly store: OtpStore,
    readonly wait: (seconds: number) => Promise<void>,
    readonly user = fresh(),
  ) {}

  /** Somebody else at the same store. */
  other(user = fresh()): Scene {
    return Object.assign(new Scene(this.store, this.wait, user), { failures: this.failures })
  }

  /** The same user at another store. */
  at(store: OtpStore): Scene {
    return new Scene(store, this.wait, this.user)
  }

  /** Opens a challenge, or `repeat` again, whatever comes of it. */
  async ask(repeat: string | null = null, begin = fresh()): Promise<OpenOutcome> {
    const { user, lifetime, attempts, sends, resend, failures } = this
    const [known, next] = [repeat === null ? null : candidate(repeat), candidate(begin)]
    const limits = { sends, resend, failures }
    const opened = await this.store.open({ user, existing: known, fresh: next, lifetime, attempts, ...limits })
    if (opened.outcome === 'throttled') {
      assert.ok(['sends', 'resend'].includes(opened.bucket), 'a refusal names the bucket')
      wholeFrom(1, opened.retryAfter, 'retryAfter')
      return opened
    }
    const { outcome, id, repeated, kind, attemptsLeft, expiresIn } = opened
    assert.equal(outcome, 'opened')
    assert.equal(id, repeated ? repeat : begin, 'the id is the one that was repeated or begun')
    assert.equal(typeof repeated, 'boolean')
    assert.ok(['short', 'long'].includes(kind), 'the outcome says which code to mail')
    wholeFrom(1, attemptsLeft, 'attemptsLeft')
    wholeFrom(1, expiresIn, 'expiresIn')
    return opened
  }

  /** Opens a challenge, or `repeat` again, and must succeed. */
  async open(repeat: string | null = null, begin = fresh()): Promise<Opened> {
    const opened = await this.ask(repeat, begin)
    assert.equal(opened.outcome, 'opened')
    return opened
  }

  /** Types the right code. */
  right(id: string, kind: CodeKind = 'short'): Promise<RedeemOutcome> {
    return this.type(id, kind, candidate(id)[kind])
  }

  /** Types a wrong one. */
  wrong(id: string, kind: CodeKind = 'short'): Promise<RedeemOutcome> {
    return this.type(id, kind, keyed(fresh()))
  }

  /** Types a code of this digest. */
  async type(id: string, kind: CodeKind, digest: string): Promise<RedeemOutcome> {
    const { user, failures } = this
    const redeemed = await this.store.redeem({ user, id, kind, digest, failures })
    if (redeemed.outcome !== 'mismatch') {
      assert.ok(
        ['redeemed', 'exhausted', 'not_found', 'long_code_required'].includes(redeemed.outcome),
        'a known outcome',
      )
      return redeemed
    }
    wholeFrom(0, redeemed.attemptsLeft, 'attemptsLeft')
    assert.equal(typeof redeemed.escalated, 'boolean')
    return redeemed
  }

  async spend(bucket: string, limit: Limit, permits?: BucketRequest['permits']): Promise<SpendOutcome> {
    const given = permits === undefined ? {} : { permits }
    const spent = await this.store.spend({ user: this.user, bucket, ...limit, ...given })
    if (spent.outcome === 'throttled') wholeFrom(1, spent.retryAfter, 'retryAfter')
    else assert.deepEqual(spent, { outcome: 'spent' })
    return spent
  }
}

/** Random, so that a store may be shared with earlier runs. */
export function fresh(): string {
  return randomBytes(16).toString('base64url')
}

/** Outcomes as they must be, member by member. */
export const is = {
  redeemed: { outcome: 'redeemed' },
  absent: { outcome: 'not_found' },
  exhausted: { outcome: 'exhausted' },
  longer: { outcome: 'long_code_required' },
  spent: { outcome: 'spent' },
  wrong: (attemptsLeft: number, escalated = false): object => ({
    outcome: 'mismatch',
    attemptsLeft,
    escalated,
  }),
  refused: (bucket: 'sends' | 'resend', retryAfter: number): object => ({
    outcome: 'throttled',
    bucket,
    retryAfter,
  }),
  throttled: (retryAfter: number): object => ({ outcome: 'throttled', retryAfter }),
} as const

/** How many outcomes of each kind. */
export function tally(outcomes: readonly { readonly outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Runs an act many times at once. */
export function parallel<T>(times: number, act: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, i) => act(i)))
}

export function candidate(id: string): Candidate {
  return { id, short: keyed(`short ${id}`), long: keyed(`long ${id}`) }
}

/** As long as the keyed hashes that a store is given for users and codes, so that a key or column holds all of it. */
export function keyed(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function wholeFrom(least: number, value: unknown, name: string): void {
  assert.ok(Number.isSafeInteger(value) && Number(value) >= least, `${name} is a whole number from ${least}`)
}
