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
const [LIFETIME, ATTEMPTS] = [15, 3]

const candidate = (id: string): Candidate => ({ id, short: `short ${id}`, long: `long ${id}` })

/** What a challenge is, in plain terms. */
class PlainChallenge {
  left = ATTEMPTS
  taken = 0
  kind: 'short' | 'long' = 'short'
  isRedeemed = false
  readonly pause = new ReferenceBucket(LIMITS.resend)
  constructor(readonly ends: number) {}
}

/** One user in plain terms: what was opened, and how many sends and failures are left. */
class PlainUser {
  readonly challenges = new Map<string, PlainChallenge>()
  readonly sends = new ReferenceBucket(LIMITS.sends)
  readonly failures = new ReferenceBucket(LIMITS.failures)
  /** Short codes are void. */
  isLong = false

  wait(ms: number): void {
    this.sends.wait(ms)
    this.failures.wait(ms)
    for (const { pause } of this.challenges.values()) pause.wait(ms)
    this.#regain()
  }

  open(known: string | null, fresh: string, now: number): OpenOutcome {
    const old = known === null ? undefined : this.challenges.get(known)
    const alive = old && !old.isRedeemed && old.left > 0 && old.ends > now ? old : null
    const challenge = alive ?? new PlainChallenge(now + LIFETIME * 1000)
    const pause = challenge.pause.permits < 1 ? challenge.pause.untilNext : 0
    const sends = this.sends.permits < 1 ? this.sends.untilNext : 0
    if (sends > pause) return { outcome: 'throttled', bucket: 'sends', retryAfter: sends }
    if (pause > 0) return { outcome: 'throttled', bucket: 'resend', retryAfter: pause }
    challenge.pause.take()
    this.sends.take()
    const id = alive && known !== null ? known : fresh
    this.challenges.set(id, challenge)
    if (this.isLong) challenge.kind = 'long'
    const expiresIn = Math.ceil((challenge.ends - now) / 1000)
    const { kind, left: attemptsLeft } = challenge
    return { outcome: 'opened', id, repeated: alive !== null, kind, attemptsLeft, expiresIn }
  }

  type(id: string, kind: 'short' | 'long', isRight: boolean, now: number): RedeemOutcome {
    const challenge = this.challenges.get(id)
    if (!challenge || challenge.isRedeemed || challenge.ends <= now) return { outcome: 'not_found' }
    if (challenge.left < 1) return { outcome: 'exhausted' }
    if (kind !== challenge.kind || (kind === 'short' && this.isLong)) return { outcome: 'long_code_required' }
    challenge.left -= 1
    if (kind === 'short') {
      challenge.taken += 1
      this.failures.take()
    }
    if (isRight) {
      challenge.isRedeemed = true
      for (let i = 0; i < challenge.taken; i++) this.failures.refund()
      this.#regain()
      return { outcome: 'redeemed' }
    }
    const escalated = kind === 'short' && this.failures.permits < 1
    if (escalated) this.isLong = true
    return { outcome: 'mismatch', attemptsLeft: challenge.left, escalated }
  }

  #regain(): void {
    if (this.failures.permits * 2 >= LIMITS.failures.capacity) this.isLong = false
  }
}

type Name = 'ana' | 'ben'
interface Mail {
  readonly id: string
  readonly kind: 'short' | 'long'
}

interface Model {
  now: number
  readonly users: Record<Name, PlainUser>
  /** The newest mail of each session; in both worlds, since a session is outside of the store. */
  readonly mails: Map<string, Mail>
  opened: number
}

interface Real {
  readonly store: MemoryStore
  readonly clock: Clock
}

type Command = fc.AsyncCommand<Model, Real>
/** How often each ending came up: a test that never sees one would prove nothing about it. */
const seen = new Map<string, number>()
const note = (ending: string): void => void seen.set(ending, (seen.get(ending) ?? 0) + 1)

/** The person's session `session`; each has its own challenge. */
abstract class InSession {
  constructor(
    readonly user: Name,
    readonly session: number,
  ) {}
  get place(): string {
    return `${this.user}/${this.session}`
  }
  mail(model: Model): Mail {
    const mail = model.mails.get(this.place)
    if (!mail) throw new Error('no mail yet')
    return mail
  }
  toString(): string {
    return `${this.constructor.name} ${this.place}`
  }
}

class Open extends InSession implements Command {
  check(): boolean {
    return true
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const known = model.mails.get(this.place)?.id ?? null
    const fresh = `c${++model.opened}`
    const expected = model.users[this.user].open(known, fresh, model.now)
    const existing = known === null ? null : candidate(known)
    const request = {
      user: this.user,
      existing,
      fresh: candidate(fresh),
      lifetime: LIFETIME,
      attempts: ATTEMPTS,
    }
    expect(await store.open({ ...request, ...LIMITS })).toEqual(expected)
    if (expected.outcome === 'opened') {
      model.mails.set(this.place, expected)
      note(`${expected.kind} ${expected.repeated ? 'resent' : 'created'}`)
    } else note(expected.bucket)
  }
}

class Type extends InSession implements Command {
  constructor(
    user: Name,
    session: number,
    readonly isRight: boolean,
  ) {
    super(user, session)
  }
  check(model: Readonly<Model>): boolean {
    return model.mails.has(this.place)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id, kind } = this.mail(model)
    const { user, isRight } = this
    const expected = model.users[user].type(id, kind, isRight, model.now)
    const digest = isRight ? candidate(id)[kind] : 'wrong'
    expect(await store.redeem({ user, id, kind, digest, failures: LIMITS.failures })).toEqual(expected)
    note(expected.outcome === 'mismatch' && expected.escalated ? 'escalated' : `${kind} ${expected.outcome}`)
  }
  override toString(): string {
    return `${super.toString()} ${this.isRight ? 'right' : 'wrong'}`
  }
}

/** The code of the other session or of the other user, typed here. */
class TypeForeign extends InSession implements Command {
  check(model: Readonly<Model>): boolean {
    return model.mails.size > 1 && model.mails.has(this.place)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id, kind } = this.mail(model)
    for (const [place, foreign] of model.mails) {
      if (place === this.place) continue
      const expected = model.users[this.user].type(id, kind, false, model.now)
      const digest = candidate(foreign.id)[foreign.kind]
      const { user } = this
      expect(await store.redeem({ user, id, kind, digest, failures: LIMITS.failures })).toEqual(expected)
      note('foreign')
    }
  }
}

/** A mail failed: its send and its pause are given back. */
class GiveBack extends InSession implements Command {
  check(model: Readonly<Model>): boolean {
    return model.mails.has(this.place)
  }
  async run(model: Model, { store }: Real): Promise<void> {
    const { id } = this.mail(model)
    const { user } = this
    model.users[user].sends.refund()
    model.users[user].challenges.get(id)?.pause.refund()
    await store.spend({ user, bucket: 'sends', permits: -1, ...LIMITS.sends })
    await store.spend({ user, bucket: `resend:${id}`, permits: -1, ...LIMITS.resend })
    note('given back')
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

test('whatever two users do in two sessions each, the store does what the plain story says', async () => {
  const user = fc.constantFrom<Name>('ana', 'ana', 'ben')
  const session = fc.constantFrom(1, 2)
  const moves = [
    fc.tuple(user, session).map((where) => new Open(...where)),
    fc.tuple(user, session).map((where) => new Open(...where)),
    fc.tuple(user, session).map((where) => new Type(...where, false)),
    fc.tuple(user, session).map((where) => new Type(...where, false)),
    fc.tuple(user, session).map((where) => new Type(...where, true)),
    fc.tuple(user, session).map((where) => new TypeForeign(...where)),
    fc.tuple(user, session).map((where) => new GiveBack(...where)),
    fc.integer({ min: 0, max: 5_000 }).map((ms) => new Wait(ms)),
    fc.constantFrom(1_000, 2_000, 3_000, 4_000, 15_000).map((ms) => new Wait(ms)),
  ]
  await fc.assert(
    fc.asyncProperty(fc.commands(moves, { maxCommands: 120, size: 'max' }), async (commands) => {
      const clock = new Clock()
      const store = new MemoryStore({ now: clock.now })
      const users = { ana: new PlainUser(), ben: new PlainUser() }
      const model: Model = { now: clock.ms, users, mails: new Map(), opened: 0 }
      await fc.asyncModelRun(() => ({ model, real: { store, clock } }), commands)
      await store.close()
    }),
    { numRuns: 300 },
  )
  const endings = ['mismatch', 'redeemed', 'exhausted', 'not_found']
  const expected = [
    ...['short begun', 'short repeated', 'long begun', 'long repeated', 'sends', 'resend', 'given back', 'foreign'],
    ...endings.flatMap((ending) => [`short ${ending}`, `long ${ending}`]),
    ...['escalated', 'short longer'],
  ]
  expect([...seen.keys()]).toEqual(expect.arrayContaining(expected))
})
