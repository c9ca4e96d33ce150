import { OtpError } from '../errors.js'
import { unkeyedHash, type KeyRing, type Keys } from '../crypto/keys.js'
import type { IdentityRef } from '../identity/user.js'
import { seal, unseal } from '../crypto/seal.js'

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

/**
 * Fingerprint of the details, the same for the same JSON value whatever the order of its keys.
 * @throws OtpError `invalid_details` for what JSON would drop or change (undefined, NaN, a Map …): two different
 * payloads must never look alike
 */
export function hashDetails(details: unknown): string {
  return unkeyedHash(canonicalJson(details, 'details'))
}

/** Deeper is no payload but an attack on the stack, or an object that contains itself. */
const MAX_DEPTH = 100

function canonicalJson(value: unknown, path: string, depth = 0): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (depth > MAX_DEPTH) throw new OtpError('invalid_details', `details are nested more than ${MAX_DEPTH} deep.`)
  // Array.from sees holes, which map() would pass over: [,] is not [].
  if (Array.isArray(value))
    return `[${Array.from(value, (item, i) => canonicalJson(item, `${path}[${i}]`, depth + 1)).join(',')}]`
  if (isPlainObject(value)) {
    // A member that is undefined is a member that is absent, as in JSON: a handler cannot tell them apart either.
    const entries = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort()
    return `{${entries.map((k) => `${JSON.stringify(k)}:${canonicalJson(value[k], `${path}.${k}`, depth + 1)}`).join(',')}}`
  }
  throw new OtpError('invalid_details', `${path} must be a JSON value, not ${typeName(value)}.`)
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function typeName(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value
  const { constructor } = value as { constructor?: { name?: unknown } }
  return typeof constructor?.name === 'string' ? constructor.name : 'object'
}

function identityHash(ref: IdentityRef | null): string {
  return ref ? unkeyedHash(JSON.stringify([ref.type, ref.id, ref.email, ref.version])) : ''
}
