import { unkeyedHash } from '../crypto/keys.js'
import { OtpError } from '../errors.js'

/** Deeper values are attacks on the stack, or objects that contain themselves. */
const MAX_DEPTH = 100
/** Of JSON. Larger details come from a body that somebody filled with members, to make us sort and hash them. */
const MAX_CHARACTERS = 16_384

/**
 * Hash of the details: equal JSON values have equal hashes, whatever the order of their keys.
 * @throws OtpError `invalid_details` for what JSON would drop or change (undefined, NaN, a Map …): two different
 * payloads must never have the same hash; and for details that are too deep or too large
 */
export function hashDetails(details: unknown): string {
  return unkeyedHash(canonicalJson(details, 'details', 0, { left: MAX_CHARACTERS }))
}

/** How many characters may still be written. */
interface Room {
  left: number
}

function canonicalJson(value: unknown, path: string, depth: number, room: Room): string {
  if (typeof value === 'string') take(room, value.length + 2)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (depth > MAX_DEPTH) throw new OtpError('invalid_details', `details are nested more than ${MAX_DEPTH} deep.`)
  if (Array.isArray(value)) {
    take(room, 2 + 2 * value.length) // brackets; for each item one character at least, and its comma
    // Array.from sees holes, map() does not: [,] is not [].
    return `[${Array.from(value, (item, i) => canonicalJson(item, `${path}[${i}]`, depth + 1, room)).join(',')}]`
  }
  if (isPlainObject(value)) {
    const members = namesOf(value, room).map(
      (name) => `${JSON.stringify(name)}:${canonicalJson(value[name], `${path}.${name}`, depth + 1, room)}`,
    )
    return `{${members.join(',')}}`
  }
  throw new OtpError('invalid_details', `${path} must be a JSON value, not ${typeName(value)}.`)
}

/** Names of the members, sorted. Stops at the limit, before it has looked at all of them. */
function namesOf(value: Record<string, unknown>, room: Room): string[] {
  const names: string[] = []
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue
    take(room, name.length + 5) // quotes, colon, comma, and one character of the value at least
    if (value[name] !== undefined) names.push(name) // As in JSON, a member that is undefined is absent.
  }
  return names.sort()
}

function take(room: Room, characters: number): void {
  room.left -= characters
  if (room.left >= 0) return
  const hint = 'Give what the person confirms, such as amount and payee, and a hash of the rest.'
  throw new OtpError('invalid_details', `details are larger than ${MAX_CHARACTERS} characters of JSON. ${hint}`)
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
