import { wrapError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { type Identity, identityFromUser, type OtpUser } from './user.js'

/** The host's function that returns who is signed in. */
export type UserFunction = (req: OtpRequest) => OtpUser | null | undefined | Promise<OtpUser | null | undefined>

/** Asks the host who is signed in. @throws OtpError `invalid_user`, or `host_callback` if the function threw */
export async function resolveIdentity(user: UserFunction | null, req: OtpRequest): Promise<Identity | null> {
  try {
    const found: unknown = await user?.(req)
    // `(req) => req.isAuthenticated() && req.user` returns false: any falsy value means that nobody is signed in.
    return found ? identityFromUser(found) : null
  } catch (error) {
    throw wrapError('host_callback', '`user(req)` threw.', error)
  }
}
