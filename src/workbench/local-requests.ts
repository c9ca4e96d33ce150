import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { isLocalName } from '../config/site.js'
import type { IncomingRequest, OtpResponse } from '../express-types.js'
import { isOriginOf } from '../http/request/csrf.js'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** What a proxy adds: the request may come from anywhere. */
const PROXY_HEADER = /^(forwarded|x-forwarded(-.*)?|x-real-ip|via)$/

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN', // a policy of the host's may say DENY, for our own frames too
}

/** Middleware that answers a browser on this machine and nobody else, and no page of another site in that browser. */
export function localRequestsOnly(req: IncomingRequest, res: OtpResponse, next: () => void): void {
  for (const [name, value] of Object.entries(HEADERS)) res.setHeader(name, value)
  const reason = refusalReason(req)
  if (reason === null) return next()
  res.statusCode = 403
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.end(`The workbench is for a browser on the machine where the app runs. ${reason}\n`)
}

/** Why a request is refused; null if it is from this machine and from a page of ours. */
function refusalReason({ socket, headers, httpVersion, method = '' }: IncomingRequest): string | null {
  if (!isLoopbackAddress(socket.remoteAddress)) return 'This request came over a network.'
  // Without this check, another site could give its own name the address of this machine (DNS rebinding).
  if (!isLocalHost(headers.host)) return 'This request names another host: open it as localhost.'
  const proxyHeader = Object.keys(headers).find((name) => PROXY_HEADER.test(name))
  if (proxyHeader !== undefined) return `This request came through a proxy, which added ${proxyHeader}.`
  // nginx adds no header by default and names this machine as the host, but older versions speak what no browser does.
  if (httpVersion === '1.0') return 'This request came through a proxy, which speaks HTTP/1.0.'
  const isRead = method === 'GET' || method === 'HEAD'
  const mayComeFromElsewhere = isFromOtherSite(headers) || (!isRead && !isFromOwnPage(headers))
  return mayComeFromElsewhere ? 'This request came from a page of another site.' : null
}

/** Other ports of this machine are other sites: anything may run there. */
function isFromOtherSite({ origin, host, 'sec-fetch-site': fetchSite }: IncomingHttpHeaders): boolean {
  if (origin !== undefined && !isOriginOf(host, origin)) return true
  return fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none'
}

/** Every browser says so with a POST, the older ones by Origin alone. */
function isFromOwnPage({ origin, 'sec-fetch-site': fetchSite }: IncomingHttpHeaders): boolean {
  return fetchSite === 'same-origin' || (fetchSite === undefined && origin !== undefined)
}

function isLoopbackAddress(address = ''): boolean {
  const family = isIP(address)
  return family !== 0 && LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

function isLocalHost(host = ''): boolean {
  const [, name = ''] = /^(.+?)(?::\d{1,5})?$/.exec(host) ?? []
  return isLocalName(name)
}
