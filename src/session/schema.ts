import type { Grant, OpenChallenge } from '../challenge/records.js'
import { randomId } from '../crypto/random.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import { memoize } from '../memoize.js'

/** What the session holds, newest first. */
export interface SessionData {
  readonly challenges: readonly OpenChallenge[]
  readonly grants: readonly Grant[]
}

type Check = (value: unknown) => boolean
/** The fields of a record and what each may contain. In the session a record is the list of its values, in this order. */
type Shape<T> = readonly (readonly [field: keyof T & string, isValid: Check])[]

const isText: Check = (value) => typeof value === 'string'
const isTextOrNull: Check = (value) => value === null || typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isOneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(value as string)

const shapeOf = <T>(checks: { readonly [Field in keyof T]: Check }): Shape<T> =>
  Object.entries<Check>(checks) as [keyof T & string, Check][]

const IDENTITY = shapeOf<IdentityRef>({
  type: isOneOf('user', 'address'),
  id: isText,
  email: isText,
  version: isText,
})
const GRANT = shapeOf<Omit<Grant, 'identity'>>({
  id: isText,
  at: Number.isFinite,
  purpose: isText,
  details: isTextOrNull,
})
const CHALLENGE = shapeOf<Omit<OpenChallenge, 'identity'>>({
  id: isText,
  secret: isText,
  kind: isOneOf('short', 'long'),
  purpose: isText,
  details: isTextOrNull,
  tag: isText,
  locale: isText,
  expires: Number.isFinite,
  sentAt: Number.isFinite,
  sendId: isText,
  delivery: isOneOf('sent', 'queued', 'failed'),
  wasMailed: isFlag,
  isUsedUp: isFlag,
})

const NOTHING: SessionData = Object.freeze({ challenges: [], grants: [] })

/**
 * One short string, since express-session parses and hashes every property of the session on every request, guarded or
 * not. An identity is written once; the last value of a record is its index. The random text at the end makes each state
 * of a session unique.
 */
export function encode({ challenges, grants }: SessionData): string {
  const identities: IdentityRef[] = []
  const indexOf = (identity: IdentityRef): number => {
    const index = identities.findIndex((one) => sameIdentity(one, identity))
    return index < 0 ? identities.push(identity) - 1 : index
  }
  const rows = <T>(shape: Shape<T>, records: readonly (T & { identity: IdentityRef })[]): unknown[][] =>
    records.map((one) => [...valuesOf(shape, one), indexOf(one.identity)])
  const records = [rows(CHALLENGE, challenges), rows(GRANT, grants)]
  return JSON.stringify([...records, identities.map((one) => valuesOf(IDENTITY, one)), randomId(6)])
}

/**
 * Reads our property of the session. Anything that is not exactly what we write is ignored: a guard must not open on
 * `true`, on `{}` or on something inherited (GHSA-xg6x-h9c9-2m83).
 */
export function decode(stored: unknown): SessionData {
  return typeof stored === 'string' ? decodeText(stored) : NOTHING
}

/** Every guarded request reads the same text again. */
const decodeText = memoize((text): SessionData => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return NOTHING
  }
  const [challenges, grants, identities] = listOf(parsed)
  const owners = listOf(identities).map((row) => decodeRow(IDENTITY, row))
  const decodeRows = <T extends object>(shape: Shape<T>, rows: unknown): readonly (T & { identity: IdentityRef })[] =>
    Object.freeze(
      listOf(rows).flatMap((row) => {
        const fields = decodeRow(shape, listOf(row).slice(0, -1))
        const index = listOf(row).at(-1)
        const identity = typeof index === 'number' ? owners[index] : null
        return fields && identity ? [Object.freeze({ ...fields, identity })] : []
      }),
    )
  return Object.freeze({ challenges: decodeRows(CHALLENGE, challenges), grants: decodeRows(GRANT, grants) })
})

function decodeRow<T extends object>(shape: Shape<T>, row: unknown): T | null {
  const values = listOf(row)
  if (values.length !== shape.length) return null
  const record: Partial<T> = {}
  for (const [i, [field, isValid]] of shape.entries()) {
    if (!isValid(values[i])) return null
    record[field] = values[i] as T[typeof field]
  }
  return Object.freeze(record) as T
}

function valuesOf<T>(shape: Shape<T>, record: T): unknown[] {
  return shape.map(([field]) => record[field])
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
