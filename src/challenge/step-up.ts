import { type KeyRing, type Keys, unkeyedHash } from '../crypto/keys.js'
import { seal, unseal } from '../crypto/seal.js'
import type { IdentityRef } from '../identity/user.js'

/** What a guard asked for. */
export interface StepUp {
  readonly purpose: string
  /** Fingerprint of the details; null when the guard binds none. */
  readonly details: string | null
  /** The action in words, for page and mail. */
  readonly description: string | null
  /** Where to go afterwards: a path on this site; null means `home`. */
  readonly returnTo: string | null
  /** Seconds that the proof may be old; null means `grantMaxAge`. */
  readonly maxAge: number | null
}

/** What stands when no guard led here. */
export const PLAIN_ACCESS: StepUp = {
  purpose: 'access',
  details: null,
  description: null,
  returnTo: null,
  maxAge: null,
}

const ONE_HOUR_MS = 3_600_000

/**
 * Seals a step-up for the trip through the browser, for one user and for one hour. So the guard writes no session, and
 * nobody can ask for a purpose, an amount or a return page of their own.
 */
export function sealStepUp(keys: Keys, stepUp: StepUp, ref: IdentityRef | null, now: number): string {
  const { purpose, details, description, returnTo, maxAge } = stepUp
  return seal(keys.seal, JSON.stringify([now, identityHash(ref), purpose, details, description, returnTo, maxAge]))
}

/** Opens it again; null when it is altered, old, of another secret or for another user. */
export function unsealStepUp(ring: KeyRing, sealed: string, ref: IdentityRef | null, now: number): StepUp | null {
  const keys = ring.all.map((one) => one.seal)
  const text = unseal(keys, sealed)
  if (text === null) return null
  const [at, owner, purpose, details, description, returnTo, maxAge] = JSON.parse(text) as [
    ...[at: number, owner: string],
    ...[string, string | null, string | null, string | null, number | null],
  ]
  if (now - at > ONE_HOUR_MS || owner !== identityHash(ref)) return null
  return { purpose, details, description, returnTo, maxAge }
}

function identityHash(ref: IdentityRef | null): string {
  return ref ? unkeyedHash(JSON.stringify([ref.type, ref.id, ref.email, ref.version])) : ''
}
