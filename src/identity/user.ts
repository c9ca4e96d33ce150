import { OtpError } from '../errors.js'
import { type Address, maskAddress, parseAddress } from './address.js'
import { memoize } from '../memoize.js'

/** Who is signed in, as the host's `user(req)` returns it. */
export interface OtpUser {
  /** Never changes and is never given to somebody else. */
  readonly id: string | number
  /** Where codes go: one plain address. Changing it ends open challenges and grants. */
  readonly email: string
  readonly name?: string | null | undefined
  /** BCP 47 tag for pages and mails, such as `pt-BR`. */
  readonly locale?: string | null | undefined
  /** Anything that changes when earlier verifications should no longer count, such as a password version. */
  readonly version?: string | number | null | undefined
}

/** The part of an identity that the session keeps. Compared by value. */
export interface IdentityRef {
  readonly type: 'user' | 'address'
  readonly id: string
  readonly email: string
  readonly version: string
}

/** Who is asked for proof: a signed-in user of the host's, or a typed address. */
export interface Identity {
  readonly ref: IdentityRef
  readonly address: Address
  readonly masked: string
  readonly locale: string | null
  /** The host's user; null for a typed address. */
  readonly user: OtpUser | null
}

const MAX_ID_LENGTH = 255
const MAX_VERSION_LENGTH = 128

/**
 * @throws OtpError `invalid_user`, which names the field, if the host's function returned something else, or a user who
 * cannot be mailed
 */
export function identityFromUser(given: unknown): Identity {
  if (typeof given !== 'object' || given === null) throw invalidUser(`an object or null, not ${typeof given}`)
  const user = given as OtpUser
  const { id, email, version, locale } = user as Record<keyof OtpUser, unknown>
  if (!isId(id)) throw invalidUser(`with \`id\`, a number or a string of 1 to ${MAX_ID_LENGTH} characters`)
  if (!isVersion(version)) {
    throw invalidUser(`with \`version\`, a number or a string of at most ${MAX_VERSION_LENGTH} characters`)
  }
  const mailbox = typeof email === 'string' ? parseUserAddress(email) : null
  if (!mailbox) throw noAddress()
  const { address, masked } = mailbox
  return {
    ref: { type: 'user', id: String(id), email: address.address, version: String(version ?? '') },
    address,
    masked,
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

/** Every guarded request has the same address again, and parsing it would be half of the guard's work. */
const parseUserAddress = memoize((email) => {
  const address = parseAddress(email)
  return address && { address, masked: maskAddress(address.address) }
})

function isId(id: unknown): boolean {
  if (typeof id === 'number') return Number.isFinite(id)
  return typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH
}

function isVersion(version: unknown): version is OtpUser['version'] {
  if (version === undefined || version === null || typeof version === 'number') return true
  return typeof version === 'string' && version.length <= MAX_VERSION_LENGTH
}

/** Whether it says that the signed-in user has no address that can be mailed. */
export function isNoAddress(error: unknown): boolean {
  return error instanceof OtpError && error.code === 'invalid_user' && error.field === 'email'
}

/** For a caller to whom that is no error. */
export function noAddressOrThrow(error: unknown): 'no_address' {
  if (isNoAddress(error)) return 'no_address'
  throw error
}

function noAddress(): OtpError {
  const cure =
    'Give one plain address such as ana@example.com: no quotes, only ASCII before the @, and a domain with a dot. Without ' +
    'one the visitor gets `no_address` on every guarded page.'
  return new OtpError('invalid_user', `\`user(req)\` gave a user whose \`email\` cannot be mailed. ${cure}`, {
    field: 'email',
  })
}

function invalidUser(expected: string): OtpError {
  return new OtpError('invalid_user', `\`user(req)\` must give ${expected}; null when nobody is signed in.`)
}
