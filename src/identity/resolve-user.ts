import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { type Identity, identityFromUser, type OtpUser } from './user.js'

/** The host's function that says who is signed in. */
export type UserFunction = (req: OtpRequest) => OtpUser | null | undefined | Promise<OtpUser | null | undefined>

/**
 * Asks the host who is signed in. Synchronous when the host's function is, so that the guard's open path waits
 * for nothing.
 */
export function resolveIdentity(
  user: UserFunction | null,
  req: OtpRequest,
): Identity | null | Promise<Identity | null> {
  try {
    const found: unknown = user?.(req)
    // Query builders return thenables that are not promises.
    if (typeof (found as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      return Promise.resolve(found).then(identityOrNull).catch(rethrowHostError)
    }
    return identityOrNull(found)
  } catch (error) {
    return rethrowHostError(error)
  }
}

// `(req) => req.isAuthenticated() && req.user` returns false: any falsy value means that nobody is signed in.
function identityOrNull(user: unknown): Identity | null {
  return user ? identityFromUser(user) : null
}

function rethrowHostError(error: unknown): never {
  if (error instanceof OtpError) throw error
  throw new OtpError('host_callback', '`user(req)` threw.', { cause: error })
}
