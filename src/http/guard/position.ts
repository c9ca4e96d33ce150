import type { Settings } from '../../config/settings.js'
import { OtpError, troubleshooting } from '../../errors.js'
import type { OtpRequest } from '../../express-types.js'
import { isPage } from './return-page.js'
import { publicUrl } from '../response/urls.js'
import { parseUrl } from '../../url.js'

/** Of our routes, those that the router answers: what it passes on may well be a guarded page of the host's. */
const PAGES = ['', '/', '/continue', '/send', '/verify', '/restart']
const POSTS = ['/send', '/verify', '/restart']

/**
 * A guard in front of our own pages, which the visitor needs to open it.
 * @throws OtpError `guard_position`
 */
export function rejectGuardBeforeRouter({ path }: Settings, req: OtpRequest): void {
  const [page = ''] = req.originalUrl.split('?', 1)
  const routes = isPage(req) ? PAGES : req.method === 'POST' ? POSTS : []
  // Compared with case, as we write it ourselves: with "case sensitive routing", other spellings are no routes of ours.
  if (!routes.some((route) => page === path + route)) return
  throw misplaced(page, `Mount the router first: app.use('${path}', otp.router), then app.use(otp.requireOtp()).`)
}

/**
 * A guard in front of the page where visitors sign in: it would redirect to that page for ever.
 * @throws OtpError `guard_position`
 */
export function rejectGuardBeforeSignIn(settings: Settings, req: OtpRequest, signIn: string): void {
  const [here, target] = [publicUrl(settings, req.originalUrl), signIn].map((url) => parseUrl(`http://host${url}`))
  if (!here || here.pathname !== target?.pathname || !isPage(req)) return
  // One path may be several pages: `/?sign-in` need not be guarded, though `/` is.
  const isSamePage = [...target.searchParams.keys()].every((name) => here.searchParams.has(name))
  if (isSamePage)
    throw misplaced(target.pathname, 'Define the routes of your sign-in before app.use(otp.requireOtp()).')
}

function misplaced(page: string, cure: string): OtpError {
  const message = `a guard stands in front of ${page}, where it sends its visitors, so that nobody could get through. ${cure}`
  return new OtpError('guard_position', message + troubleshooting('guard_position'))
}
