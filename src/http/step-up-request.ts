import { sealStepUp, type StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { OtpError } from '../errors.js'
import { pageUrl } from './response/urls.js'
import type { Identity } from '../identity/user.js'
import { isSitePath, isUnder, MAX_REDIRECT_LENGTH } from '../url.js'

/** What a guard or `start()` asks for, before it is checked. */
export type StepUpRequest = Omit<StepUp, 'description'> & { readonly description: unknown }

export interface SealedStepUp {
  readonly stepUp: StepUp
  /** For the field `for` of our forms. */
  readonly sealed: string
  /** Our page for it. */
  readonly url: string
}

const MAX_DESCRIPTION_LENGTH = 140
/** What is read of it: a client may have filled it with a hundred kilobytes of spaces. */
const MAX_INPUT_LENGTH = 4_096

/** Makes and seals a step-up, and the URL of our page for it. */
export function createStepUp(settings: Settings, identity: Identity | null, request: StepUpRequest): SealedStepUp {
  const { returnTo } = request
  // The only pages to return to are pages of this app, and not our own.
  const isOfApp = returnTo !== null && isSitePath(returnTo) && isUnder(returnTo, settings.basePath)
  const isSafe = isOfApp && !isUnder(returnTo, settings.publicPath)
  const description = sanitizeDescription(request.description)
  const stepUp: StepUp = { ...request, description, returnTo: isSafe ? returnTo : null }
  const sealed = sealStepUp(settings.keys.current, stepUp, identity?.ref ?? null, settings.now())
  // Without its return page it fits, and goes to `home`.
  if (sealed.length > MAX_REDIRECT_LENGTH) return createStepUp(settings, identity, { ...request, returnTo: null })
  return { stepUp, sealed, url: pageUrl(settings, sealed) }
}

/** One line of at most 140 characters. Control and direction characters are removed: they could change how it reads. */
function sanitizeDescription(description: unknown): string | null {
  if (typeof description !== 'string') throw new OtpError('host_callback', '`describe(req)` must give a string.')
  const line = description
    .slice(0, MAX_INPUT_LENGTH)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return line === '' ? null : line.slice(0, MAX_DESCRIPTION_LENGTH).replace(/[\uD800-\uDBFF]$/, '')
}
