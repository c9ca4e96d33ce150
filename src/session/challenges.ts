import type { Grant, OpenChallenge } from '../challenge/records.js'
import type { StepUp } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import { hasSession, reloadSession, requireSession, saveSession } from './host-session.js'
import { isChallenge, isGrant, isObject } from './schema.js'

interface SessionData {
  readonly challenges: readonly OpenChallenge[]
  readonly grants: readonly Grant[]
}

/** Processes may disagree a little about the time; a grant from further ahead was not made by us. */
const CLOCK_SKEW_MS = 60_000

const MAX_ENTRIES = { challenges: 5, grants: 5 }

/** The challenge of this step-up, if the session has one of this holder; `holder` null takes a typed address. */
export function findChallenge(req: OtpRequest, stepUp: StepUp, ref: IdentityRef | null): OpenChallenge | null {
  const isOwn = (owner: IdentityRef): boolean => (ref ? sameIdentity(owner, ref) : owner.type === 'address')
  return read(req).challenges.find((one) => sameBinding(one, stepUp) && isOwn(one.identity)) ?? null
}

/** Remembers a challenge in place of the one for the same step-up; the five newest stay. */
export function saveChallenge(req: OtpRequest, challenge: OpenChallenge): void {
  const { challenges, grants } = read(req)
  const others = challenges.filter((one) => !sameBinding(one, challenge))
  write(req, { challenges: [challenge, ...others].slice(0, MAX_ENTRIES.challenges), grants })
}

/**
 * Notes what became of a challenge, after a wait. Meanwhile the code may have been typed, another one asked for, or the
 * session renewed or ended: then there is nothing to note, and an older challenge must not take a newer one's place.
 */
export async function updateChallenge(
  req: OtpRequest,
  challenge: OpenChallenge,
  change: Partial<Pick<OpenChallenge, 'delivery' | 'isUsedUp'>>,
  prefer: 'stored' | 'ours',
): Promise<void> {
  if (!(await reloadSession(req, prefer))) return
  const current = read(req).challenges.find((one) => one.id === challenge.id)
  if (!current) return
  saveChallenge(req, { ...current, ...change })
  await saveSession(req)
}

export function removeChallenge(req: OtpRequest, stepUp: StepUp): void {
  const { challenges, grants } = read(req)
  write(req, { challenges: challenges.filter((one) => !sameBinding(one, stepUp)), grants })
}

/**
 * The newest grant that opens what a step-up asks for: same purpose and details; for plain `access` any will do.
 * The hot path of every guarded route: comparisons only, no crypto and no waiting.
 */
export function findValidGrant(
  req: OtpRequest,
  wanted: Pick<StepUp, 'purpose' | 'details'>,
  ref: IdentityRef | null,
  maxAge: number,
  now: number,
): Grant | null {
  const isPlain = wanted.purpose === 'access' && wanted.details === null
  for (const grant of read(req).grants) {
    if (!isPlain && !sameBinding(grant, wanted)) continue
    // Asked for what must be true, so that a clock that gives NaN shuts the door.
    const isFresh = now - grant.at < maxAge * 1000 && grant.at <= now + CLOCK_SKEW_MS
    if (!isFresh) continue
    if (ref ? sameIdentity(grant.identity, ref) : grant.identity.type === 'address') return grant
  }
  return null
}

export function saveGrant(req: OtpRequest, grant: Grant): void {
  const { challenges, grants } = read(req)
  // A grant of somebody else would lend this one its purposes: one session proves one holder.
  const others = grants.filter((one) => sameIdentity(one.identity, grant.identity) && !sameBinding(one, grant))
  const kept = [grant, ...others].slice(0, MAX_ENTRIES.grants)
  write(req, { challenges: challenges.filter((one) => !sameBinding(one, grant)), grants: kept })
}

/** A grant bound to details was used: what remains of it is plain access. */
export function downgradeGrant(req: OtpRequest, grant: Grant): void {
  const { challenges, grants } = read(req)
  const accessGrant: Grant = { ...grant, purpose: 'access', details: null }
  const others = grants.filter((one) => one.id !== grant.id)
  const newer = others.some((one) => sameBinding(one, accessGrant) && one.at >= accessGrant.at)
  write(req, {
    challenges,
    grants: newer ? others : [accessGrant, ...others.filter((one) => !sameBinding(one, accessGrant))],
  })
}

/** Takes a grant back; harmless when there is no session or no such grant. */
export function removeGrant(req: OtpRequest, id: string): void {
  if (!hasSession(req)) return
  const { challenges, grants } = read(req)
  if (grants.some((one) => one.id === id)) write(req, { challenges, grants: grants.filter((one) => one.id !== id) })
}

export function grantsOf(req: OtpRequest): readonly Grant[] {
  return read(req).grants
}

export function clearGrants(req: OtpRequest): void {
  write(req, { challenges: read(req).challenges, grants: [] })
}

function sameBinding(one: Pick<StepUp, 'purpose' | 'details'>, wanted: Pick<StepUp, 'purpose' | 'details'>): boolean {
  return one.purpose === wanted.purpose && one.details === wanted.details
}

// Whatever stands in the slot was once written by this file, or else it counts for nothing: a guard must not open on
// `true`, on `{}` or on something inherited (GHSA-xg6x-h9c9-2m83).
function read(req: OtpRequest): SessionData {
  const session = requireSession(req)
  const slot = Object.hasOwn(session, 'otp') ? session.otp : null
  return { challenges: validEntries(slot, 'challenges', isChallenge), grants: validEntries(slot, 'grants', isGrant) }
}

function write(req: OtpRequest, slot: SessionData): void {
  requireSession(req).otp = slot
}

function validEntries<T>(slot: unknown, field: string, fits: (value: unknown) => value is T): readonly T[] {
  const list: unknown = isObject(slot) && Object.hasOwn(slot, field) ? slot[field] : null
  return Array.isArray(list) ? list.filter(fits) : []
}
