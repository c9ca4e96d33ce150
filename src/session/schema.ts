import type { Grant, OpenChallenge } from '../challenge/records.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import { memoize } from '../memoize.js'

/** What the session holds, newest first. */
export interface SessionData {
  readonly challenges: readonly OpenChallenge[]
  readonly grants: readonly Grant[]
}

/**
 * What is written into the session, as one string: express-session hashes the session on every request, property by
 * property, guarded or not. Identities are written once and records point to them by index; defaults are left out.
 */
interface SessionSlot {
  readonly identities: readonly object[]
  readonly challenges?: readonly object[]
  readonly grants?: readonly object[]
}

type Check = (value: unknown) => boolean
/** Each field of a record: what it may hold, and the value that is left out. */
type Shape<T> = { readonly [Field in keyof T]-?: readonly [check: Check, omitted?: T[Field]] }

const isText: Check = (value) => typeof value === 'string'
const isTextOrNull: Check = (value) => value === null || typeof value === 'string'
const isMoment: Check = (value) => Number.isFinite(value)
const isFlag: Check = (value) => typeof value === 'boolean'
const isOneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(value as string)

const IDENTITY: Shape<IdentityRef> = {
  type: [isOneOf('user', 'address')],
  id: [isText],
  email: [isText],
  version: [isText, ''],
}
const CHALLENGE: Shape<Omit<OpenChallenge, 'identity'>> = {
  id: [isText],
  secret: [isText],
  kind: [isOneOf('short', 'long'), 'short'],
  purpose: [isText, 'access'],
  details: [isTextOrNull, null],
  tag: [isText],
  locale: [isText, 'en'],
  expires: [isMoment],
  sentAt: [isMoment],
  sendId: [isText],
  delivery: [isOneOf('sent', 'queued', 'failed'), 'queued'],
  wasMailed: [isFlag, false],
  isUsedUp: [isFlag, false],
}
const GRANT: Shape<Omit<Grant, 'identity'>> = {
  id: [isText],
  at: [isMoment],
  purpose: [isText, 'access'],
  details: [isTextOrNull, null],
}

const NOTHING: SessionData = Object.freeze({ challenges: [], grants: [] })

/**
 * Reads what stands in the session. Whatever is not exactly what we write counts for nothing: a guard must not open on
 * `true`, on `{}` or on something inherited (GHSA-xg6x-h9c9-2m83).
 */
export function decode(stored: unknown): SessionData {
  return typeof stored === 'string' ? decodeText(stored) : NOTHING
}

/** Every guarded request reads the same slot again. */
const decodeText = memoize((text): SessionData => {
  let slot: unknown
  try {
    slot = JSON.parse(text)
  } catch {
    return NOTHING
  }
  const identities = ownList(slot, 'identities').map((one) => decodeFields(one, IDENTITY))
  return Object.freeze({
    challenges: decodeRecords(slot, 'challenges', CHALLENGE, identities),
    grants: decodeRecords(slot, 'grants', GRANT, identities),
  })
})

export function encode({ challenges, grants }: SessionData): string {
  const identities: IdentityRef[] = []
  const record = <T>(shape: Shape<T>, { identity, ...fields }: T & { identity: IdentityRef }): object => {
    let index = identities.findIndex((one) => sameIdentity(one, identity))
    if (index < 0) index = identities.push(identity) - 1
    return { ...withoutDefaults(shape, fields as T), identity: index }
  }
  const records: Omit<SessionSlot, 'identities'> = {
    ...(challenges.length > 0 && { challenges: challenges.map((one) => record(CHALLENGE, one)) }),
    ...(grants.length > 0 && { grants: grants.map((one) => record(GRANT, one)) }),
  }
  return JSON.stringify({ identities: identities.map((one) => withoutDefaults(IDENTITY, one)), ...records })
}

function decodeRecords<T extends object>(
  slot: unknown,
  name: keyof SessionSlot,
  shape: Shape<T>,
  identities: readonly (IdentityRef | null)[],
): readonly (T & { readonly identity: IdentityRef })[] {
  const records = ownList(slot, name).flatMap((one) => {
    const fields = decodeFields(one, shape)
    const index = fields && Object.hasOwn(one as object, 'identity') ? (one as { identity: unknown }).identity : null
    const identity = typeof index === 'number' ? identities[index] : null
    return fields && identity ? [Object.freeze({ ...fields, identity })] : []
  })
  return Object.freeze(records)
}

function ownList(slot: unknown, name: keyof SessionSlot): readonly unknown[] {
  if (typeof slot !== 'object' || slot === null || !Object.hasOwn(slot, name)) return []
  const list = (slot as Partial<SessionSlot>)[name]
  return Array.isArray(list) ? list : []
}

function decodeFields<T extends object>(value: unknown, shape: Shape<T>): T | null {
  if (typeof value !== 'object' || value === null) return null
  const decoded: Record<string, unknown> = {}
  for (const field of Object.keys(shape) as (keyof T & string)[]) {
    const [check, omitted] = shape[field]
    const found = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : omitted
    if (!check(found)) return null
    decoded[field] = found
  }
  return Object.freeze(decoded) as T
}

function withoutDefaults<T>(shape: Shape<T>, record: T): object {
  const fields = Object.keys(shape) as (keyof T & string)[]
  const kept = fields.filter((field) => shape[field].length === 1 || record[field] !== shape[field][1])
  return Object.fromEntries(kept.map((field) => [field, record[field]]))
}
