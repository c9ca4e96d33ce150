import type { CodeKind } from '../crypto/code.js'
import type { IdentityRef } from '../identity/user.js'

/** What the session remembers of a challenge. No counter: a session writes whole, and the last writer wins. */
export interface OpenChallenge {
  readonly id: string
  /** Fingerprint of the secret that made it. */
  readonly secret: string
  readonly kind: CodeKind
  readonly purpose: string
  readonly details: string | null
  readonly tag: string
  readonly masked: string
  readonly locale: string
  readonly identity: IdentityRef
  /** Milliseconds, for the page; the store decides by its own clock. */
  readonly expires: number
  readonly resendAt: number
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** An earlier mail with this very code went out. */
  readonly wasMailed: boolean
  /** The store said that it takes no more guesses; only what the page offers depends on it. */
  readonly isUsedUp: boolean
}

/** The record that a verification succeeded. */
export interface Grant {
  readonly id: string
  /** Milliseconds, when the code was redeemed. Never refreshed by use. */
  readonly at: number
  readonly purpose: string
  readonly details: string | null
  readonly identity: IdentityRef
}

export function isGrant(value: unknown): value is Grant {
  return isRecord(value) && Object.hasOwn(value, 'at') && Number.isFinite(value.at)
}

export function isChallenge(value: unknown): value is OpenChallenge {
  if (!isRecord(value) || (value.kind !== 'short' && value.kind !== 'long')) return false
  const texts = [value.secret, value.tag, value.masked, value.locale, value.delivery]
  return texts.every((text) => typeof text === 'string') && Number.isFinite(value.expires)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (!isObject(value) || !['id', 'purpose', 'details', 'holder'].every((key) => Object.hasOwn(value, key)))
    return false
  const { id, purpose, details, holder: identity } = value
  if (typeof id !== 'string' || typeof purpose !== 'string') return false
  return (details === null || typeof details === 'string') && isHolder(identity)
}

function isHolder(value: unknown): value is IdentityRef {
  if (!isObject(value) || !['kind', 'id', 'email', 'version'].every((key) => Object.hasOwn(value, key))) return false
  if (value.kind !== 'user' && value.kind !== 'address') return false
  return [value.id, value.email, value.version].every((text) => typeof text === 'string')
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
