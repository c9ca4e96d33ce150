import { unkeyedHash } from '../crypto/keys.js'
import { OtpError } from '../errors.js'

/**
 * Hash of the details: equal JSON values have equal hashes, whatever the order of their keys.
 * @throws OtpError `invalid_details` for what JSON would drop or change (undefined, NaN, a Map …): two different
 * payloads must never have the same hash
 */
export function hashDetails(details: unknown): string {
  return unkeyedHash(canonicalJson(details, 'details'))
}

/** Deeper values are attacks on the stack, or objects that contain themselves. */
const MAX_DEPTH = 100

function canonicalJson(value: unknown, path: string, depth = 0): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (depth > MAX_DEPTH) throw new OtpError('invalid_details', `details are nested more than ${MAX_DEPTH} deep.`)
  // Array.from sees holes, map() does not: [,] is not [].
  if (Array.isArray(value))
    return `[${Array.from(value, (item, i) => canonicalJson(item, `${path}[${i}]`, depth + 1)).join(',')}]`
  if (isPlainObject(value)) {
    // As in JSON, a member that is undefined is absent.
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
