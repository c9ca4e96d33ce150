import type { IncomingHttpHeaders } from 'node:http'
import { isSitePath, parseUrl } from '../../url.js'

/**
 * Whether a state-changing request may come from a page of another site (CWE-352). No token is needed, so that a
 * customised template cannot lose the protection. Like Go's net/http CrossOriginProtection:
 *
 * - a browser that sends Sec-Fetch-Site is believed: only `same-origin` and `none` (typed, bookmarked) pass;
 * - an older browser, or one on plain http, sends Origin with each POST: it must be this host or `site.origin`;
 * - a client with neither header is not a browser, so no other site can make it send a user's cookies.
 *
 * Assumed: the host answers GET without side effects, and no other port of the same host name is hostile.
 */
export function isCrossSite(headers: IncomingHttpHeaders, siteOrigin: string | null): boolean {
  const fetchSite = headers['sec-fetch-site']
  if (fetchSite !== undefined) return fetchSite !== 'same-origin' && fetchSite !== 'none'
  if (headers.origin === undefined) return false
  return !isOwnOrigin(headers.origin, headers.host, siteOrigin)
}

/**
 * The path of the page that a browser comes from.
 * @returns null if there is no Referer, it is of another site, or its path is not safe to redirect to
 */
export function refererPath(headers: IncomingHttpHeaders, siteOrigin: string | null): string | null {
  const url = parseUrl(headers.referer ?? '')
  if (!url || !isOwnOrigin(url.origin, headers.host, siteOrigin)) return null
  const path = url.pathname + url.search
  return isSitePath(path) ? path : null
}

function isOwnOrigin(origin: string, host: string | undefined, siteOrigin: string | null): boolean {
  if (siteOrigin !== null && origin === siteOrigin) return true
  const url = parseUrl(origin)
  return /^https?:$/.test(url?.protocol ?? '') && url?.host === host?.toLowerCase()
}
