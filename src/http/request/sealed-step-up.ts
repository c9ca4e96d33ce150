import { type StepUp, unsealStepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { readField } from './body.js'
import { pageUrl } from '../response/urls.js'
import type { IdentityRef } from '../../identity/user.js'
import { findValidGrant } from '../../session/grants.js'
import { MAX_REDIRECT_LENGTH } from '../../url.js'

/** What the `for` of a request says. */
export type StepUpOfRequest =
  | { readonly stepUp: StepUp; readonly sealed: string }
  /** Its owner may be led to its return page. */
  | { readonly unusable: 'expired'; readonly stepUp: StepUp }
  /** Altered, of another identity, or of a secret that is not known any more: nothing in it is told. */
  | { readonly unusable: 'invalid' }

/** Reads `for`; null if there is none, undefined if it is not one string of a possible length. */
export function readStepUp(
  settings: Settings,
  req: OtpRequest,
  ref: IdentityRef | null,
): StepUpOfRequest | null | undefined {
  const sealed = readFor(req)
  if (!sealed) return sealed === undefined ? undefined : null
  const found = unsealStepUp(settings.keys, sealed, settings.now())
  if (found === null || !isUsableBy(settings, req, ref, found)) return { unusable: 'invalid' }
  const { stepUp, isExpired } = found
  return isExpired ? { unusable: 'expired', stepUp } : { stepUp, sealed }
}

/** `for` as it was sent: in the body of a POST, else in the URL. The body wins. */
function readFor({ method, body, query }: OtpRequest): string | null | undefined {
  const inBody = method === 'POST' ? readField(body, 'for', MAX_REDIRECT_LENGTH) : null
  return inBody === null ? readField(query, 'for', MAX_REDIRECT_LENGTH) : inBody
}

/** The page of the form that was posted: its action names `for`, also where the body could not be read. */
export function samePage(settings: Settings, { query }: OtpRequest): string {
  const sealed = readField(query, 'for', MAX_REDIRECT_LENGTH) ?? ''
  return pageUrl(settings, /^[\w-]*$/.test(sealed) ? sealed : '')
}

/**
 * A step-up is for the identity that it was sealed for. One of nobody's can be used also by a user who has proven it in
 * this session: verifying may sign somebody in, and the browser still has the old page.
 */
function isUsableBy(
  settings: Settings,
  req: OtpRequest,
  ref: IdentityRef | null,
  { stepUp, isFor }: NonNullable<ReturnType<typeof unsealStepUp>>,
): boolean {
  if (isFor(ref)) return true
  if (ref === null || !isFor(null)) return false
  const maxAge = stepUp.maxAge ?? settings.grantMaxAge
  return findValidGrant(settings, req, stepUp, ref, maxAge, settings.now()) !== null
}
