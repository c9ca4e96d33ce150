import { PLAIN_ACCESS, type StepUp, unsealStepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { readField } from './body.js'
import { resolveIdentity } from '../../identity/resolve-user.js'
import type { Identity } from '../../identity/user.js'
import type { Services } from '../../services.js'
import { matchLocale } from '../../views/locale.js'

/** One request to our pages: who asks, what for, and in which language. */
export interface RequestContext {
  readonly services: Services
  readonly req: OtpRequest
  readonly identity: Identity | null
  readonly stepUp: StepUp
  /** The step-up as it travels; empty when none came, or one that could not be used. */
  readonly sealed: string
  readonly locale: string
}

const MAX_SEALED_LENGTH = 4_096

/** Reads a request to our pages; null when its `for` has a shape that no form of ours sends. */
export async function createRequestContext(services: Services, req: OtpRequest): Promise<RequestContext | null> {
  const { settings } = services
  const identity = await resolveIdentity(settings.user, req)
  const text = readField(req.method === 'POST' ? req.body : req.query, 'for', MAX_SEALED_LENGTH)
  if (text === undefined) return null
  const stepUp = text ? unsealStepUp(settings.keys, text, identity?.ref ?? null, settings.now()) : null
  const sealed = stepUp && text ? text : ''
  const locale = negotiateLocale(services, req, identity)
  return { services, req, identity, stepUp: stepUp ?? PLAIN_ACCESS, sealed, locale }
}

/** Whether anybody can be asked for proof: somebody is signed in, or an address may be typed. */
export function mayProceed({ typedEmail }: Settings, identity: Identity | null): boolean {
  return identity !== null || typedEmail !== null
}

/** The language: the user's own, else the browser's, else the default; only those that have texts. */
export function negotiateLocale(
  { settings, views }: Pick<Services, 'settings' | 'views'>,
  req: OtpRequest,
  identity: Identity | null,
): string {
  const { locales } = views
  const own = matchLocale(locales, identity?.locale ?? '')
  if (own !== undefined) return own
  // Without an Accept-Language header the first one wins, so the default stands first.
  const known = [settings.locale, ...locales.filter((tag) => tag !== settings.locale)]
  return req.acceptsLanguages(...known) || settings.locale
}
