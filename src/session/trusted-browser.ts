import { PLAIN_ACCESS, sameBinding, type StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { unkeyedHash } from '../crypto/keys.js'
import type { OtpRequest } from '../express-types.js'
import type { Identity, IdentityRef } from '../identity/user.js'
import { isFresh } from './grants.js'
import { SealedCookie } from './sealed-cookie.js'

const SECONDS_A_DAY = 86_400

/** What a guard or a step-up asks for. */
type Wanted = Pick<StepUp, 'purpose' | 'details' | 'maxAge'>

/**
 * The cookie of a browser in which a signed-in user asked not to be asked again. It opens only the plain `requireOtp()`,
 * only for that user with that address and version, and for the days of the option `trustBrowser`, however often it is
 * used. Nothing is stored here: it ends everywhere by another `version` of the user, and in one browser by `forget()`.
 */
export class TrustedBrowser {
  readonly #cookie: SealedCookie
  readonly #maxAge: number
  readonly #now: () => number

  constructor({ keys, publicPath, trustDays, now }: Settings) {
    const name = `otp-trust${publicPath.replace(/[^A-Za-z0-9]+/g, '-')}`
    this.#maxAge = (trustDays ?? 0) * SECONDS_A_DAY
    this.#cookie = new SealedCookie(name, keys, this.#maxAge, now)
    this.#now = now
  }

  /** Whether this user may be remembered for what is wanted. */
  isOffered(identity: Identity | null, wanted: Wanted): boolean {
    const isPlain = sameBinding(wanted, PLAIN_ACCESS) && wanted.maxAge === null
    return this.#maxAge > 0 && isPlain && identity?.ref.type === 'user'
  }

  /** Whether this browser opens what is wanted: one decryption, no I/O. */
  opens(req: OtpRequest, identity: Identity | null, wanted: Wanted): boolean {
    if (identity === null || !this.isOffered(identity, wanted)) return false
    const text = this.#cookie.read(req)
    if (text === null) return false
    const [owner, trustedAt] = JSON.parse(text) as [string, number]
    // The cookie knows its own end; the option may have been lowered since.
    return owner === hashOf(identity.ref) && isFresh(trustedAt, this.#maxAge, this.#now())
  }

  /** The header `Set-Cookie` that makes this browser a trusted one. */
  trust(req: OtpRequest, { ref }: Identity): string {
    return this.#cookie.header(req, JSON.stringify([hashOf(ref), this.#now()]))
  }

  /** The header `Set-Cookie` that removes the cookie. */
  forget(req: OtpRequest): string {
    return this.#cookie.removal(req)
  }
}

function hashOf({ type, id, email, version }: IdentityRef): string {
  return unkeyedHash(JSON.stringify([type, id, email, version]))
}
