import type { Grant } from '../challenge/records.js'
import { type Binding, PLAIN_ACCESS } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import { noAddressOrThrow } from '../identity/user.js'
import type { Services } from '../services.js'
import { findValidGrant } from '../session/grants.js'
import { read } from '../session/storage.js'

/** The verifications of a session. */
export interface OtpStatus {
  /** Whether a grant opens a plain `requireOtp()`. A trusted browser, which opens it too, does not count. */
  readonly verified: boolean
  /** The verified address. */
  readonly email: string | null
  readonly verifiedAt: Date | null
  /** Purposes with a grant that is younger than `grantMaxAge`. */
  readonly purposes: readonly string[]
}

export async function sessionStatus({ settings }: Services, req: OtpRequest): Promise<OtpStatus> {
  const identity = await resolveIdentity(settings.user, req).catch(noAddressOrThrow)
  if (identity === 'no_address') return { verified: false, email: null, verifiedAt: null, purposes: [] }
  const ref = identity?.ref ?? null
  const validGrant = (binding: Binding): Grant | null =>
    findValidGrant(settings, req, binding, ref, settings.grantMaxAge, settings.now())
  const newest = validGrant(PLAIN_ACCESS)
  const valid = read(settings, req).grants.filter((grant) => validGrant(grant) !== null)
  return {
    verified: newest !== null,
    email: newest?.identity.email ?? null,
    verifiedAt: newest ? new Date(newest.at) : null,
    purposes: [...new Set(valid.map((grant) => grant.purpose))],
  }
}
