import { PLAIN_ACCESS, type StepUp, unsealStepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { readField } from './body.js'
import { acceptedLanguage } from '../response/content-negotiation.js'
import { resolveIdentity } from '../../identity/resolve-user.js'
import type { Identity } from '../../identity/user.js'
import type { Services } from '../../services.js'
import type { ExpectedUser } from '../../session/refresh-session.js'
import { MAX_REDIRECT_LENGTH } from '../../url.js'
import { matchLocale } from '../../views/messages.js'

/** One request to our pages: identity, step-up and language. */
export interface RequestContext {
  readonly services: Services
  readonly req: OtpRequest
  readonly identity: Identity | null
  readonly stepUp: StepUp
  /** The sealed step-up, `for`; empty if there was none, or none that could be opened. */
  readonly sealed: string
  readonly locale: string
  /** Who must still be signed in when the session is saved. */
  readonly expectedUser: ExpectedUser
}

/** Reads a request to our pages; null if its `for` is not one string of a possible length. */
export async function createRequestContext(services: Services, req: OtpRequest): Promise<RequestContext | null> {
  const { settings } = services
  const identity = await resolveIdentity(settings.user, req)
  const text = readField(req.method === 'POST' ? req.body : req.query, 'for', MAX_REDIRECT_LENGTH)
  if (text === undefined) return null
  const stepUp = text ? unsealStepUp(settings.keys, text, identity?.ref ?? null, settings.now()) : null
  const sealed = stepUp && text ? text : ''
  const locale = negotiateLocale(services, req, identity)
  return {
    services,
    req,
    identity,
    stepUp: stepUp ?? PLAIN_ACCESS,
    sealed,
    locale,
    expectedUser: identity?.ref ?? null,
  }
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
  const { locales } = views
  const own = matchLocale(locales, identity?.locale ?? '')
  if (own !== undefined) return own
  // For `*` Express returns the first one, so the default comes first.
  const available = [settings.locale, ...locales.filter((tag) => tag !== settings.locale)]
  return acceptedLanguage(req, available) ?? settings.locale
}
