import type { StepUp } from '../../challenge/step-up.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { isSitePath, isUnder, toSitePath } from '../../url.js'

/** Our page for a step-up, with a sealed notice. */
export function pageUrl({ publicPath }: Settings, sealed: string, notice = ''): string {
  const query = [sealed && `for=${sealed}`, notice && `notice=${notice}`].filter(Boolean).join('&')
  return query ? `${publicPath}?${query}` : publicPath
}

/** The page after a right code, which goes on to the guarded page. */
export function continueUrl({ publicPath }: Settings, sealed: string): string {
  return sealed ? `${publicPath}/continue?for=${sealed}` : `${publicPath}/continue`
}

/** A path that the host wrote, as browsers see it. */
export function publicUrl({ basePath }: Settings, path: string): string {
  return basePath + path
}

/** The same for a path that is not checked; null if it is no path on this site. */
export function publicPage(settings: Settings, path: string): string | null {
  const page = toSitePath(path)
  return page && toSitePath(publicUrl(settings, page))
}

/** The URL of a request as a page to come back to; null if it is too long or odd. */
export function ownUrl(settings: Settings, { originalUrl }: OtpRequest): string | null {
  return toSitePath(publicUrl(settings, originalUrl), 'latin1')
}

/** Where to go after a verification: the guarded page, else `home`. */
export function returnUrl({ home }: Settings, { returnTo }: StepUp): string {
  return returnTo ?? home
}

/** The same for a link or a header; empty if the host has made our own page its `home`. */
export function onwardUrl(settings: Settings, stepUp: StepUp): string {
  const url = returnUrl(settings, stepUp)
  return isSitePath(url) && !isUnder(url, settings.publicPath) ? url : ''
}
