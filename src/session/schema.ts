import type { Grant, OpenChallenge } from '../challenge/records.js'
import type { IdentityRef } from '../identity/user.js'

export function isGrant(value: unknown): value is Grant {
  return isRecord(value) && Object.hasOwn(value, 'at') && Number.isFinite(value.at)
}

export function isChallenge(value: unknown): value is OpenChallenge {
  if (!isRecord(value) || (value.kind !== 'short' && value.kind !== 'long')) return false
  const texts = [value.secret, value.tag, value.masked, value.locale, value.delivery]
  return texts.every((text) => typeof text === 'string') && Number.isFinite(value.expires)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (!isObject(value) || !['id', 'purpose', 'details', 'identity'].every((key) => Object.hasOwn(value, key)))
    return false
  const { id, purpose, details, identity } = value
  if (typeof id !== 'string' || typeof purpose !== 'string') return false
  return (details === null || typeof details === 'string') && isIdentityRef(identity)
}

function isIdentityRef(value: unknown): value is IdentityRef {
  if (!isObject(value) || !['type', 'id', 'email', 'version'].every((key) => Object.hasOwn(value, key))) return false
  if (value.type !== 'user' && value.type !== 'address') return false
  return [value.id, value.email, value.version].every((text) => typeof text === 'string')
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
