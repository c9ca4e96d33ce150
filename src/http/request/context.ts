import { PLAIN_ACCESS, type StepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { readStepUp } from './sealed-step-up.js'
import { acceptedLanguages } from '../response/content-negotiation.js'
import { resolveIdentity } from '../../identity/resolve-user.js'
import type { Identity } from '../../identity/user.js'
import type { Services } from '../../services.js'
import type { ExpectedUser } from '../../session/refresh-session.js'
import { matchLocale } from '../../views/locales.js'

/** One request to our pages: identity, step-up and language. */
export interface RequestContext {
  readonly services: Services
  readonly req: OtpRequest
  readonly identity: Identity | null
  readonly stepUp: StepUp
  /** The sealed step-up, `for`; empty if there was none, or none that can be used. */
  readonly sealed: string
  readonly locale: string
  /** Who must still be signed in when the session is saved. */
  readonly expectedUser: ExpectedUser
  /** Why the `for` of this request cannot be used; then `stepUp` is the old one, or plain access. */
  readonly unusable: 'expired' | 'invalid' | null
}

/** Reads a request to our pages; null if its `for` is not one string of a possible length. */
export async function createRequestContext(services: Services, req: OtpRequest): Promise<RequestContext | null> {
  const { settings } = services
  const identity = await resolveIdentity(settings.user, req)
  const expectedUser = identity?.ref ?? null
  const found = readStepUp(settings, req, expectedUser)
  if (found === undefined) return null
  const locale = negotiateLocale(services, req, identity)
  const base = { services, req, identity, stepUp: PLAIN_ACCESS, sealed: '', locale, expectedUser, unusable: null }
  return { ...base, ...found }
}

/** Whether there is somebody to ask for a code: a user is signed in, or an address may be typed. */
export function mayProceed({ typedEmail }: Settings, identity: Identity | null): boolean {
  return identity !== null || typedEmail !== null
}

/** The first locale that has texts: the user's own, the browser's, the default. */
export function negotiateLocale(
  { settings, views }: Pick<Services, 'settings' | 'views'>,
  req: OtpRequest,
  identity: Identity | null,
): string {
  const wanted = [identity?.locale ?? '', ...acceptedLanguages(req)]
  for (const tag of wanted) {
    const locale = tag === '*' ? settings.locale : matchLocale(views.locales, tag)
    if (locale !== undefined) return locale
  }
  return settings.locale
}
