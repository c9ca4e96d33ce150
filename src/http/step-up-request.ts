import { sanitizeDescription } from '../challenge/description.js'
import { sealStepUp, type StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { pageUrl } from './response/urls.js'
import type { Identity } from '../identity/user.js'
import { isSitePath, isUnder } from '../url.js'

/** What a guard or `start()` asks for, before it is checked. */
export interface StepUpRequest {
  readonly purpose: string
  /** Hash of the details; null when none are bound. */
  readonly details: string | null
  readonly description: unknown
  /** A page to return to; anything but a path on this site, outside of our own pages, is ignored. */
  readonly returnTo: string | null
  readonly maxAge: number | null
}

export interface SealedStepUp {
  readonly stepUp: StepUp
  /** For the field `for` of our forms. */
  readonly sealed: string
  /** Our page for it. */
  readonly url: string
}

/** Makes and seals a step-up, and the URL of our page for it. */
export function createStepUp(settings: Settings, identity: Identity | null, request: StepUpRequest): SealedStepUp {
  const { purpose, details, description, returnTo, maxAge } = request
  const isSafe = returnTo !== null && isSitePath(returnTo) && !isUnder(returnTo, settings.path)
  const stepUp: StepUp = {
    purpose,
    details,
    description: sanitizeDescription(description),
    returnTo: isSafe ? returnTo : null,
    maxAge,
  }
  const sealed = sealStepUp(settings.keys.current, stepUp, identity?.ref ?? null, settings.now())
  return { stepUp, sealed, url: pageUrl(settings, sealed) }
}
