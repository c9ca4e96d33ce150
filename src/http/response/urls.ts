import type { StepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'

/** Our page for a step-up. */
export function pageUrl({ path }: Settings, sealed: string): string {
  return sealed ? `${path}?for=${sealed}` : path
}

/** Where to go after a verification: the guarded page, else `home`. */
export function returnUrl({ home }: Settings, { returnTo }: StepUp): string {
  return returnTo ?? home
}
