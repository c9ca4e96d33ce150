import { hasSession, refreshSession, requireSession, saveSession } from './host-session.js'
import type { OtpRequest } from './http.js'
import { type Holder, sameHolder } from './person.js'
import { type Grant, isChallenge, isGrant, isObject, type OpenChallenge } from './session-records.js'
import type { StepUp } from './step-up.js'

interface Slot {
  readonly challenges: readonly OpenChallenge[]
  readonly grants: readonly Grant[]
}

/** Processes may disagree a little about the time; a grant from further ahead was not made by us. */
const CLOCK_SKEW_MS = 60_000

const MOST = { challenges: 5, grants: 5 }

/** The challenge of this step-up, if the session has one of this holder; `holder` null takes a typed address. */
export function challengeOf(req: OtpRequest, stepUp: StepUp, holder: Holder | null): OpenChallenge | null {
  const mine = (owner: Holder): boolean => (holder ? sameHolder(owner, holder) : owner.kind === 'address')
  return read(req).challenges.find((one) => isFor(one, stepUp) && mine(one.holder)) ?? null
}

/** Remembers a challenge in place of the one for the same step-up; the five newest stay. */
export function keepChallenge(req: OtpRequest, challenge: OpenChallenge): void {
  const { challenges, grants } = read(req)
  const others = challenges.filter((one) => !isFor(one, challenge))
  write(req, { challenges: [challenge, ...others].slice(0, MOST.challenges), grants })
}

/**
 * Notes what became of a challenge, after a wait. Meanwhile the code may have been typed, another one asked for, or the
 * session renewed or ended: then there is nothing to note, and an older challenge must not take a newer one's place.
 */
export async function amendChallenge(
  req: OtpRequest,
  challenge: OpenChallenge,
  change: Partial<Pick<OpenChallenge, 'delivery' | 'ended'>>,
  hostData: 'stored' | 'ours',
): Promise<void> {
  if (!(await refreshSession(req, hostData))) return
  const current = read(req).challenges.find((one) => one.id === challenge.id)
  if (!current) return
  keepChallenge(req, { ...current, ...change })
  await saveSession(req)
}

export function dropChallenge(req: OtpRequest, stepUp: StepUp): void {
  const { challenges, grants } = read(req)
  write(req, { challenges: challenges.filter((one) => !isFor(one, stepUp)), grants })
}

/**
 * The newest grant that opens what a step-up asks for: same purpose and details; for plain `access` any will do.
 * The hot path of every guarded route: comparisons only, no crypto and no waiting.
 */
export function freshGrant(
  req: OtpRequest,
  wanted: Pick<StepUp, 'purpose' | 'details'>,
  holder: Holder | null,
  maxAge: number,
  now: number,
): Grant | null {
  const isPlain = wanted.purpose === 'access' && wanted.details === null
  for (const grant of read(req).grants) {
    if (!isPlain && !isFor(grant, wanted)) continue
    // Asked for what must be true, so that a clock that gives NaN shuts the door.
    const isFresh = now - grant.at < maxAge * 1000 && grant.at <= now + CLOCK_SKEW_MS
    if (!isFresh) continue
    if (holder ? sameHolder(grant.holder, holder) : grant.holder.kind === 'address') return grant
  }
  return null
}

export function keepGrant(req: OtpRequest, grant: Grant): void {
  const { challenges, grants } = read(req)
  // A grant of somebody else would lend this one its purposes: one session proves one holder.
  const others = grants.filter((one) => sameHolder(one.holder, grant.holder) && !isFor(one, grant))
  const kept = [grant, ...others].slice(0, MOST.grants)
  write(req, { challenges: challenges.filter((one) => !isFor(one, grant)), grants: kept })
}

/** A grant bound to details was used: what remains of it is plain access. */
export function useUp(req: OtpRequest, grant: Grant): void {
  const { challenges, grants } = read(req)
  const plain: Grant = { ...grant, purpose: 'access', details: null }
  const others = grants.filter((one) => one.id !== grant.id)
  const newer = others.some((one) => isFor(one, plain) && one.at >= plain.at)
  write(req, { challenges, grants: newer ? others : [plain, ...others.filter((one) => !isFor(one, plain))] })
}

/** Takes a grant back; harmless when there is no session or no such grant. */
export function dropGrant(req: OtpRequest, id: string): void {
  if (!hasSession(req)) return
  const { challenges, grants } = read(req)
  if (grants.some((one) => one.id === id)) write(req, { challenges, grants: grants.filter((one) => one.id !== id) })
}

export function grantsOf(req: OtpRequest): readonly Grant[] {
  return read(req).grants
}

export function forgetGrants(req: OtpRequest): void {
  write(req, { challenges: read(req).challenges, grants: [] })
}

function isFor(one: Pick<StepUp, 'purpose' | 'details'>, wanted: Pick<StepUp, 'purpose' | 'details'>): boolean {
  return one.purpose === wanted.purpose && one.details === wanted.details
}

// Whatever stands in the slot was once written by this file, or else it counts for nothing: a guard must not open on
// `true`, on `{}` or on something inherited (GHSA-xg6x-h9c9-2m83).
function read(req: OtpRequest): Slot {
  const session = requireSession(req)
  const slot = Object.hasOwn(session, 'otp') ? session.otp : null
  return { challenges: records(slot, 'challenges', isChallenge), grants: records(slot, 'grants', isGrant) }
}

function write(req: OtpRequest, slot: Slot): void {
  requireSession(req).otp = slot
}

function records<T>(slot: unknown, field: string, fits: (value: unknown) => value is T): readonly T[] {
  const list: unknown = isObject(slot) && Object.hasOwn(slot, field) ? slot[field] : null
  return Array.isArray(list) ? list.filter(fits) : []
}
