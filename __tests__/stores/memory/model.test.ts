import fc from 'fast-check'
import { Clock } from '../../helpers/host-app.js'
import { ReferenceBucket } from '../../helpers/reference-bucket.js'
import { MemoryStore } from '../../../src/stores/memory/memory-store.js'
import type { Candidate, OpenOutcome, RedeemOutcome } from '../../../src/stores/store.js'

const LIMITS = {
  sends: { capacity: 3, refill: 6 },
  resend: { capacity: 1, refill: 2 },
  failures: { capacity: 4, refill: 3 },
}
/** Two further buckets; the second one counts fresh challenges only. */
const EXTRAS = [
  { bucket: 'extra', capacity: 4, refill: 9 },
  { bucket: 'codes', capacity: 2, refill: 4, onlyIfFresh: true },
]
const [LIFETIME, ATTEMPTS] = [15, 3]

const candidate = (id: string): Candidate => ({ id, short: `short ${id}`, long: `long ${id}` })

/** Reference implementation of a challenge. */
class ModelChallenge {
  attemptsLeft = ATTEMPTS
  failuresTaken = 0
  kind: 'short' | 'long' = 'short'
  isRedeemed = false
  readonly resend = new ReferenceBucket(LIMITS.resend)
  constructor(readonly expiresAt: number) {}
}

/** Reference implementation of a user: challenges, and the permits of all buckets. */
class ModelUser {
  readonly challenges = new Map<string, ModelChallenge>()
  readonly sends = new ReferenceBucket(LIMITS.sends)
  readonly failures = new ReferenceBucket(LIMITS.failures)
  readonly extras = EXTRAS.map((extra) => ({ ...extra, permits: new ReferenceBucket(extra) }))
  areShortCodesDisabled = false

  wait(ms: number): void {
    this.sends.wait(ms)
    this.failures.wait(ms)
    for (const { permits } of this.extras) permits.wait(ms)
    for (const { resend } of this.challenges.values()) resend.wait(ms)
    this.#enableShortCodes()
  }

  open(existing: string | null, fresh: string, now: number): OpenOutcome {
    const found = existing === null ? undefined : this.challenges.get(existing)
    const live = found && !found.isRedeemed && found.attemptsLeft > 0 && found.expiresAt > now ? found : null
    const challenge = live ?? new ModelChallenge(now + LIFETIME * 1000)
    const buckets = [
      { bucket: 'resend', permits: challenge.resend },
      { bucket: 'sends', permits: this.sends },
      ...this.extras.filter(({ onlyIfFresh = false }) => !(live && onlyIfFresh)),
    ]
    const waits = buckets.map(({ permits }) => (permits.permits < 1 ? permits.untilNext : 0))
    const retryAfter = Math.max(...waits)
    const bucket = buckets[waits.indexOf(retryAfter)]?.bucket ?? ''
    if (retryAfter > 0) return { outcome: 'throttled', bucket, retryAfter }
    for (const { permits } of buckets) permits.take()
    const id = live && existing !== null ? existing : fresh
    this.challenges.set(id, challenge)
    if (this.areShortCodesDisabled) challenge.kind = 'long'
    const expiresIn = Math.ceil((challenge.expiresAt - now) / 1000)
    const { kind, attemptsLeft } = challenge
    return { outcome: 'opened', id, repeated: live !== null, kind, attemptsLeft, expiresIn }
  }

  redeem(id: string, kind: 'short' | 'long', isRight: boolean, now: number): RedeemOutcome {
    const challenge = this.challenges.get(id)
    if (!challenge || challenge.isRedeemed || challenge.expiresAt <= now) return { outcome: 'not_found' }
    if (challenge.attemptsLeft < 1) return { outcome: 'exhausted' }
    if (kind !== challenge.kind || (kind === 'short' && this.areShortCodesDisabled))
      return { outcome: 'long_code_required' }
    challenge.attemptsLeft -= 1
    if (kind === 'short') {
      challenge.failuresTaken += 1
      this.failures.take()
    }
    if (isRight) {
      challenge.isRedeemed = true
      for (let i = 0; i < challenge.failuresTaken; i++) this.failures.refund()
      this.#enableShortCodes()
      return { outcome: 'redeemed' }
    }
    const escalated = kind === 'short' && this.failures.permits < 1
    if (escalated) this.areShortCodesDisabled = true
    return { outcome: 'mismatch', attemptsLeft: challenge.attemptsLeft, escalated }
  }

  #enableShortCodes(): void {
    if (this.failures.permits * 2 >= LIMITS.failures.capacity) this.areShortCodesDisabled = false
  }
}

type Name = 'ana' | 'ben'
interface Mail {
  readonly id: string
  readonly kind: 'short' | 'long'
}

interface Model {
  now: number
  readonly users: Record<Name, ModelUser>
  /** The newest mail of each session. */
  readonly mails: Map<string, Mail>
  opened: number
}

interface Real {
  readonly store: MemoryStore
  readonly clock: Clock
}

type Command = fc.AsyncCommand<Model, Real>
/** The outcomes that came up. A test that misses one proves nothing about it. */
const seen = new Set<string>()

/** A command in one session of a user. Each session has its own challenge. */
abstract class SessionCommand {
  constructor(
    readonly user: Name,
    readonly session: number,
  ) {}
  get sessionName(): string {
    return `${this.user}/${this.session}`
  }
  mail(model: Model): Mail {
    const mail = model.mails.get(this.sessionName)
    if (!mail) throw new Error('no mail yet')
    return mail
  }
  toString(): string {
    return `${this.constructor.name} ${this.sessionName}`
  }
}

class Open extends SessionCommand implements Command {
  check(): boolean {
    return true
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const existing = model.mails.get(this.sessionName)?.id ?? null
    const fresh = `c${++model.opened}`
    const expected = model.users[this.user].open(existing, fresh, model.now)
    const request = {
      user: this.user,
      existing: existing === null ? null : candidate(existing),
      fresh: candidate(fresh),
      lifetime: LIFETIME,
      attempts: ATTEMPTS,
    }
    expect(await store.open({ ...request, ...LIMITS, extraBuckets: EXTRAS })).toEqual(expected)
    if (expected.outcome === 'opened') {
      model.mails.set(this.sessionName, expected)
      seen.add(`${expected.kind} ${expected.repeated ? 'resent' : 'created'}`)
    } else seen.add(expected.bucket)
  }
}

class Redeem extends SessionCommand implements Command {
  constructor(
    user: Name,
    session: number,
    readonly isRight: boolean,
  ) {
    super(user, session)
  }
  check(model: Readonly<Model>): boolean {
    return model.mails.has(this.sessionName)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id, kind } = this.mail(model)
    const { user, isRight } = this
    const expected = model.users[user].redeem(id, kind, isRight, model.now)
    const digest = isRight ? candidate(id)[kind] : 'wrong'
    expect(await store.redeem({ user, id, kind, digest, failures: LIMITS.failures })).toEqual(expected)
    seen.add(expected.outcome === 'mismatch' && expected.escalated ? 'escalated' : `${kind} ${expected.outcome}`)
  }
  override toString(): string {
    return `${super.toString()} ${this.isRight ? 'right' : 'wrong'}`
  }
}

/** Types the codes of other sessions and users. */
class RedeemForeign extends SessionCommand implements Command {
  check(model: Readonly<Model>): boolean {
    return model.mails.size > 1 && model.mails.has(this.sessionName)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id, kind } = this.mail(model)
    for (const [sessionName, foreign] of model.mails) {
      if (sessionName === this.sessionName) continue
      const expected = model.users[this.user].redeem(id, kind, false, model.now)
      const digest = candidate(foreign.id)[foreign.kind]
      const { user } = this
      expect(await store.redeem({ user, id, kind, digest, failures: LIMITS.failures })).toEqual(expected)
      seen.add('foreign')
    }
  }
}

/** Refunds all that the opening for a failed mail took. */
class Refund extends SessionCommand implements Command {
  check(model: Readonly<Model>): boolean {
    return model.mails.has(this.sessionName)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id } = this.mail(model)
    const { user } = this
    model.users[user].sends.refund()
    model.users[user].challenges.get(id)?.resend.refund()
    for (const { permits } of model.users[user].extras) permits.refund()
    await store.spend({ user, bucket: 'sends', permits: -1, ...LIMITS.sends })
    await store.spend({ user, bucket: `resend:${id}`, permits: -1, ...LIMITS.resend })
    for (const { bucket, capacity, refill } of EXTRAS)
      await store.spend({ user, bucket, permits: -1, capacity, refill })
    seen.add('refunded')
  }
}

class Wait implements Command {
  constructor(readonly ms: number) {}
  check(): boolean {
    return true
  }
  run(model: Model, { clock }: Real): Promise<void> {
    clock.ms += this.ms
    model.now += this.ms
    for (const user of Object.values(model.users)) user.wait(this.ms)
    return Promise.resolve()
  }
  toString(): string {
    return `Wait ${this.ms} ms`
  }
}

test('whatever two users do in two sessions each, the store behaves like the reference implementation', async () => {
  const user = fc.constantFrom<Name>('ana', 'ana', 'ben')
  const session = fc.constantFrom(1, 2)
  const commandTypes = [
    fc.tuple(user, session).map((where) => new Open(...where)),
    fc.tuple(user, session).map((where) => new Open(...where)),
    fc.tuple(user, session).map((where) => new Redeem(...where, false)),
    fc.tuple(user, session).map((where) => new Redeem(...where, false)),
    fc.tuple(user, session).map((where) => new Redeem(...where, true)),
    fc.tuple(user, session).map((where) => new RedeemForeign(...where)),
    fc.tuple(user, session).map((where) => new Refund(...where)),
    fc.integer({ min: 0, max: 5_000 }).map((ms) => new Wait(ms)),
    fc.constantFrom(1_000, 2_000, 3_000, 4_000, 15_000).map((ms) => new Wait(ms)),
  ]
  await fc.assert(
    fc.asyncProperty(fc.commands(commandTypes, { maxCommands: 120, size: 'max' }), async (commands) => {
      const clock = new Clock()
      const store = new MemoryStore({ now: clock.now })
      const users = { ana: new ModelUser(), ben: new ModelUser() }
      const model: Model = { now: clock.ms, users, mails: new Map(), opened: 0 }
      await fc.asyncModelRun(() => ({ model, real: { store, clock } }), commands)
      await store.close()
    }),
    { numRuns: 300 },
  )
  const outcomes = ['mismatch', 'redeemed', 'exhausted', 'not_found']
  const expected = [
    ...['short created', 'short resent', 'long created', 'long resent', 'sends', 'resend', 'extra', 'codes'],
    ...outcomes.flatMap((outcome) => [`short ${outcome}`, `long ${outcome}`]),
    ...['escalated', 'short long_code_required', 'refunded', 'foreign'],
  ]
  expect(expected.filter((one) => !seen.has(one))).toEqual([])
})
