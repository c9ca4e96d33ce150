import { OtpError } from '../errors.js'
import { type Address, maskAddress, parseAddress } from './address.js'

/** Who is signed in, as the host tells it. */
export interface OtpUser {
  /** Never changes and is never given to somebody else. */
  readonly id: string | number
  /** Where codes go. Changing it ends open challenges and grants. */
  readonly email: string
  readonly name?: string | null | undefined
  /** BCP 47 tag for pages and mails, such as `pt-BR`. */
  readonly locale?: string | null | undefined
  /** Anything that changes when earlier proof should no longer count: a password version, say. */
  readonly version?: string | number | null | undefined
}

/** Whom a challenge or a grant belongs to, compared by value. Kept in the session. */
export interface IdentityRef {
  readonly type: 'user' | 'address'
  readonly id: string
  readonly email: string
  readonly version: string
}

/** A user in our terms: the host's, or a typed address. */
export interface Identity {
  readonly ref: IdentityRef
  readonly address: Address
  readonly masked: string
  readonly locale: string | null
  /** What `onVerified` and events are told; null for a typed address. */
  readonly user: OtpUser | null
}

/**
 * @throws OtpError `invalid_user` when the host's function gave something else, naming the field
 */
export function identityFromUser(given: unknown): Identity {
  if (typeof given !== 'object' || given === null) throw invalidUser(`an object or null, not ${typeof given}`)
  const user = given as OtpUser
  const { id, email, version, locale } = user as Record<keyof OtpUser, unknown>
  if (!isId(id)) throw invalidUser('with `id`, a non-empty string or a number')
  if (version !== undefined && version !== null && typeof version !== 'string' && typeof version !== 'number') {
    throw invalidUser('with `version` a string or a number')
  }
  const address = typeof email === 'string' ? parseAddress(email) : null
  if (!address) throw invalidUser('with `email`, one plain address such as ana@example.com')
  const ref: IdentityRef = {
    type: 'user',
    id: String(id),
    email: address.address,
    version: String(version ?? ''),
  }
  return {
    ref,
    address,
    masked: maskAddress(address.address),
    locale: typeof locale === 'string' ? locale : null,
    user,
  }
}

export function identityFromAddress(address: Address): Identity {
  const ref: IdentityRef = { type: 'address', id: address.key, email: address.address, version: '' }
  return { ref, address, masked: maskAddress(address.address), locale: null, user: null }
}

export function sameIdentity(a: IdentityRef, b: IdentityRef): boolean {
  return a.type === b.type && a.id === b.id && a.email === b.email && a.version === b.version
}

function isId(id: unknown): boolean {
  return (typeof id === 'string' && id !== '') || (typeof id === 'number' && Number.isFinite(id))
}

function invalidUser(expected: string): OtpError {
  return new OtpError('invalid_user', `\`user(req)\` must give ${expected}; null when nobody is signed in.`)
}
