import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type KeyRing, type Keys, unkeyedHash } from '../crypto/keys.js'
import { seal, unsealBytes } from '../crypto/seal.js'
import type { IdentityRef } from '../identity/user.js'

/** What code and grant are bound to. */
export interface Binding {
  readonly purpose: string
  /** Hash of the details; null when none are bound. */
  readonly details: string | null
}

/** What a guard asked for. */
export interface StepUp extends Binding {
  /** The action as page and mail describe it. */
  readonly description: string | null
  /** Where to go afterwards: a path on this site; null means `home`. */
  readonly returnTo: string | null
  /** Seconds that the verification may be old; null means `grantMaxAge`. */
  readonly maxAge: number | null
}

/** The step-up of a request without a usable `for`. */
export const PLAIN_ACCESS: StepUp = {
  purpose: 'access',
  details: null,
  description: null,
  returnTo: null,
  maxAge: null,
}

export function sameBinding(a: Binding, b: Binding): boolean {
  return a.purpose === b.purpose && a.details === b.details
}

const ONE_HOUR_MS = 3_600_000
/** Characters of JSON that are sealed as they are. What is compressed tells something by its length (CRIME). */
const MAX_PLAIN_LENGTH = 1_024
/** Bytes of JSON: a description and the longest return page take less than half. */
const MAX_INFLATED_LENGTH = 16_384
/** In front of deflated JSON, where JSON itself has a brace. */
const DEFLATED = 0
/** Raise it when the sealed fields change: during a deploy, two versions read each other's step-ups. */
const VERSION = 1

interface SealedStepUp extends StepUp {
  readonly v: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly owner: string
}

/**
 * Seals a step-up that travels through the browser, for one identity and one hour. So the guard writes no session, and a
 * client cannot choose purpose, details or return page.
 */
export function sealStepUp(keys: Keys, stepUp: StepUp, ref: IdentityRef | null, now: number): string {
  const sealed: SealedStepUp = { ...stepUp, v: VERSION, at: now, owner: identityHash(ref) }
  return seal(keys.seal, deflateLong(JSON.stringify(sealed)))
}

/** An authentic step-up. Use it only for its owner. */
export interface UnsealedStepUp {
  readonly stepUp: StepUp
  readonly isExpired: boolean
  /** Whether it was sealed for this identity; with null, whether it was sealed when nobody was signed in. */
  readonly isFor: (ref: IdentityRef | null) => boolean
}

/** Opens a sealed step-up; null if it was altered, or is of another secret or another version. */
export function unsealStepUp(ring: KeyRing, sealed: string, now: number): UnsealedStepUp | null {
  const bytes = unsealBytes(
    ring.all.map((keys) => keys.seal),
    sealed,
  )
  if (bytes === null) return null
  const { v, at, owner, ...stepUp } = JSON.parse(inflate(bytes)) as SealedStepUp
  if (v !== VERSION) return null
  return { stepUp, isExpired: now - at > ONE_HOUR_MS, isFor: (ref) => owner === identityHash(ref) }
}

/** The requests of sign-in providers (SAML) have URLs of some kilobytes. */
function deflateLong(text: string): string | Buffer {
  return text.length > MAX_PLAIN_LENGTH ? Buffer.concat([Buffer.of(DEFLATED), deflateRawSync(text)]) : text
}

/** Only what we have sealed gets here; the limit is for the case that a key is lost (CWE-409). */
function inflate(bytes: Buffer): string {
  const isDeflated = bytes[0] === DEFLATED
  return (isDeflated ? inflateRawSync(bytes.subarray(1), { maxOutputLength: MAX_INFLATED_LENGTH }) : bytes).toString()
}

function identityHash(ref: IdentityRef | null): string {
  return ref ? unkeyedHash(JSON.stringify([ref.type, ref.id, ref.email, ref.version])) : ''
}
