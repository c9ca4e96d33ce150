import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../../config/settings.js'
import { parseUrl, toSitePath } from '../../url.js'

/**
 * Whether a state-changing request may come from a page of another site (CWE-352). No token is needed, so that a
 * customised template cannot lose the protection. Like Go's net/http CrossOriginProtection:
 *
 * - an Origin that the host trusts passes: `site.origin` and `trustedOrigins`;
 * - else a browser that sends Sec-Fetch-Site is believed: only `same-origin` and `none` (typed, bookmarked) pass;
 * - else an older browser, or one on plain http, sends Origin with each POST: it must be this host;
 * - a client with none of these headers is not a browser, so no other site can make it send a user's cookies.
 *
 * Assumed: the host answers GET without side effects, and no other port of the same host name is hostile.
 */
export function isCrossSite(
  headers: IncomingHttpHeaders,
  { trustedOrigins }: Pick<Settings, 'trustedOrigins'>,
): boolean {
  const { origin, host, 'sec-fetch-site': fetchSite } = headers
  if (origin !== undefined && trustedOrigins.includes(origin)) return false
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none'
  return origin !== undefined && !isOriginOf(host, origin)
}

/**
 * The path of the page that a browser comes from, on this host or at `site.origin`. A trusted origin has other pages.
 * @returns null if there is no Referer, it is of another site or not below `basePath`, or its path is not safe to redirect to
 */
export function refererPath(
  headers: IncomingHttpHeaders,
  { site, basePath }: Pick<Settings, 'site' | 'basePath'>,
): string | null {
  const url = parseUrl(headers.referer ?? '')
  if (!url || (url.origin !== site.origin && !isOriginOf(headers.host, url.origin))) return null
  const isOfApp = basePath === '' || url.pathname === basePath || url.pathname.startsWith(`${basePath}/`)
  return isOfApp ? toSitePath(url.pathname + url.search) : null
}

/**
 * Whether an Origin is the host that a request names. An Origin never names the default port of its scheme; some clients and
 * proxies name it in Host (RFC 9110 7.2).
 */
export function isOriginOf(host: string | undefined, origin: string): boolean {
  const url = parseUrl(origin)
  if (!url || !/^https?:$/.test(url.protocol)) return false
  return url.host === host?.toLowerCase().replace(url.protocol === 'https:' ? /:443$/ : /:80$/, '')
}
