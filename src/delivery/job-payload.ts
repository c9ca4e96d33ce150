import type { CodeFormat, CodeKind } from '../crypto/code.js'
import { maskAddress, parseAddress } from '../identity/address.js'
import type { Identity, IdentityRef } from '../identity/user.js'
import type { MailRequest } from '../mail/mail-request.js'

/**
 * The sealed part of a job: plain fields, no internal types, since during a deploy the queue holds jobs of two versions.
 * Raise `v` when a field changes. The code is never in it.
 */
export interface JobPayload {
  readonly v: 1
  readonly type: 'code' | 'alert'
  /** Id of the mail in events, the same for all its send attempts. */
  readonly mailId: string
  /** Milliseconds since the epoch. */
  readonly enqueuedAt: number
  /** The fields that the job also has in the clear, and which must be equal there. */
  readonly address: string
  readonly view: string
  readonly locale: string
  /** Code format of the app. */
  readonly format: CodeFormat
  readonly identityType: IdentityRef['type']
  readonly identityId: string
  readonly identityVersion: string
  readonly purpose: string
  readonly description: string | null
  /** Of an alert: milliseconds since the epoch, when the wrong codes were typed. */
  readonly alertAt: number | null
  readonly challenge: {
    readonly id: string
    readonly secret: string
    readonly kind: CodeKind
    readonly details: string | null
    readonly tag: string
    readonly expires: number
  } | null
}

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isTextOrNull: Check = (value) => value === null || isText(value)
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value)

const CHALLENGE: Readonly<Record<keyof NonNullable<JobPayload['challenge']>, Check>> = {
  id: isText,
  secret: isText,
  kind: oneOf('short', 'long'),
  details: isTextOrNull,
  tag: isText,
  expires: Number.isFinite,
}

const FORMAT: Readonly<Record<keyof CodeFormat, Check>> = { alphabet: isText, length: Number.isSafeInteger }

const PAYLOAD: Readonly<Record<keyof JobPayload, Check>> = {
  v: oneOf(1),
  type: oneOf('code', 'alert'),
  mailId: isText,
  enqueuedAt: Number.isFinite,
  address: isText,
  view: isText,
  locale: isText,
  format: (value) => hasShape(value, FORMAT),
  identityType: oneOf('user', 'address'),
  identityId: isText,
  identityVersion: isText,
  purpose: isText,
  description: isTextOrNull,
  alertAt: (value) => value === null || Number.isFinite(value),
  challenge: (value) => value === null || hasShape(value, CHALLENGE),
}

type JobFields = Pick<JobPayload, 'mailId' | 'enqueuedAt' | 'address' | 'view' | 'locale' | 'format'>

export function toPayload(mailRequest: MailRequest, fields: JobFields): JobPayload {
  const { type, identity, stepUp } = mailRequest
  const common = {
    v: 1 as const,
    ...fields,
    format: { alphabet: fields.format.alphabet, length: fields.format.length },
    identityType: identity.ref.type,
    identityId: identity.ref.id,
    identityVersion: identity.ref.version,
    purpose: stepUp.purpose,
  }
  if (type === 'alert') return { ...common, type, description: null, alertAt: mailRequest.at, challenge: null }
  const { id, secret, kind, details, tag, expires } = mailRequest.challenge
  const challenge = { id, secret, kind, details, tag, expires }
  return { ...common, type, description: mailRequest.stepUp.description, alertAt: null, challenge }
}

/** Reads the text of a payload; null when it is malformed or of another version. */
export function readPayload(text: string): JobPayload | null {
  try {
    const value: unknown = JSON.parse(text)
    return hasShape(value, PAYLOAD) ? (value as unknown as JobPayload) : null
  } catch {
    return null
  }
}

/** The mail request of a payload; null when it contradicts itself. */
export function toMailRequest(payload: JobPayload): MailRequest | null {
  const { type, locale, purpose, description, alertAt, challenge } = payload
  const identity = identityOf(payload)
  if (identity === null) return null
  if (type === 'code' && challenge !== null) {
    const stepUp = { purpose, description }
    return { type, identity, stepUp, challenge: { ...challenge, purpose, locale, identity: identity.ref } }
  }
  if (type === 'alert' && alertAt !== null)
    return { type, identity, stepUp: { purpose }, challenge: null, locale, at: alertAt }
  return null
}

function identityOf({ address, identityType, identityId, identityVersion }: JobPayload): Identity | null {
  const parsed = parseAddress(address)
  if (parsed?.address !== address) return null
  const ref = { type: identityType, id: identityId, email: address, version: identityVersion }
  const user = identityType === 'user' ? { id: identityId, email: address } : null
  return { ref, address: parsed, masked: maskAddress(address), locale: null, user }
}

function hasShape(value: unknown, shape: Readonly<Record<string, Check>>): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(shape).every(([key, check]) => Object.hasOwn(value, key) && check(value[key as never]))
}
