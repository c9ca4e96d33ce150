import { unkeyedHash } from '../crypto/keys.js'
import { OtpError } from '../errors.js'

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
