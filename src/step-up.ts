import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { OtpError } from './errors.js'
import { fingerprint, type KeyRing, type Keys } from './keys.js'
import type { Holder } from './person.js'

/** What a guard asked for. */
export interface StepUp {
  readonly purpose: string
  /** Fingerprint of the details; null when the guard binds none. */
  readonly details: string | null
  /** The deed in words, for page and mail. */
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
const [IV, TAG] = [12, 16]

/**
 * Seals a step-up for the trip through the browser: encrypted and authenticated (AES-256-GCM with random 96-bit nonces,
 * NIST SP 800-38D 8.2.2: one key must not seal more than 2^32 of them), for one user, for one hour. So the guard
 * writes no session, and nobody can ask for a purpose, an amount or a return page of their own.
 */
export function sealStepUp(keys: Keys, stepUp: StepUp, holder: Holder | null, now: number): string {
  const { purpose, details, description, returnTo, maxAge } = stepUp
  const text = JSON.stringify([now, ownerOf(holder), purpose, details, description, returnTo, maxAge])
  const iv = randomBytes(IV)
  const cipher = createCipheriv('aes-256-gcm', keys.seal, iv)
  const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return sealed.toString('base64url')
}

/** Opens it again; null when it is altered, old, of another secret or for another user. */
export function openStepUp(ring: KeyRing, sealed: string, holder: Holder | null, now: number): StepUp | null {
  const bytes = Buffer.from(sealed, 'base64url')
  // Decoding skips what is not base64url; such text is not what was sealed, and would travel on into pages and headers.
  if (bytes.length <= IV + TAG || bytes.toString('base64url') !== sealed) return null
  for (const { seal } of ring.all) {
    const text = decrypt(seal, bytes)
    if (text === null) continue
    const [at, owner, purpose, details, description, returnTo, maxAge] = JSON.parse(text) as [
      ...[at: number, owner: string],
      ...[string, string | null, string | null, string | null, number | null],
    ]
    if (now - at > ONE_HOUR_MS || owner !== ownerOf(holder)) return null
    return { purpose, details, description, returnTo, maxAge }
  }
  return null
}

/**
 * Fingerprint of the details, the same for the same JSON value whatever the order of its keys.
 * @throws OtpError `invalid_details` for what JSON would drop or change (undefined, NaN, a Map …): two different
 * payloads must never look alike
 */
export function fingerprintDetails(details: unknown): string {
  return fingerprint(canonical(details, 'details'))
}

/** Deeper is no payload but an attack on the stack, or an object that contains itself. */
const DEEPEST = 100

function canonical(value: unknown, path: string, depth = 0): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (depth > DEEPEST) throw new OtpError('invalid_details', `details are nested more than ${DEEPEST} deep.`)
  // Array.from sees holes, which map() would pass over: [,] is not [].
  if (Array.isArray(value))
    return `[${Array.from(value, (item, i) => canonical(item, `${path}[${i}]`, depth + 1)).join(',')}]`
  if (isPlainObject(value)) {
    // A member that is undefined is a member that is absent, as in JSON: a handler cannot tell them apart either.
    const entries = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort()
    return `{${entries.map((k) => `${JSON.stringify(k)}:${canonical(value[k], `${path}.${k}`, depth + 1)}`).join(',')}}`
  }
  throw new OtpError('invalid_details', `${path} must be a JSON value, not ${describe(value)}.`)
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value
  const { constructor } = value as { constructor?: { name?: unknown } }
  return typeof constructor?.name === 'string' ? constructor.name : 'object'
}

function ownerOf(holder: Holder | null): string {
  return holder ? fingerprint(JSON.stringify([holder.kind, holder.id, holder.email, holder.version])) : ''
}

function decrypt(key: Buffer, bytes: Buffer): string | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG })
    decipher.setAuthTag(bytes.subarray(-TAG))
    return decipher.update(bytes.subarray(IV, -TAG), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return null // altered, or sealed by another secret: both count as absent
  }
}
