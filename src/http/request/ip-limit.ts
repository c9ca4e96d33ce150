import { isIPv4, isIPv6 } from 'node:net'
import type { OtpRequest } from '../../express-types.js'

/** One client: an IPv4 address, or the /56 that one IPv6 customer is given (RIPE-690). */
export function clientNetwork(ip: string): string {
  const address = ip.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(address) || !isIPv6(address)) return address
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [left, right] = [head.split(':').filter(Boolean), tail.split(':').filter(Boolean)]
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  const [first, second, third, fourth] = groups.map((group) => group.padStart(4, '0'))
  return [first, second, third, fourth?.slice(0, 2)].join(':')
}

let hasWarned = false

/** Says once that `req.ip` does not tell clients apart. */
export function warnAboutProxy(req: OtpRequest): void {
  const trust = req.app.get('trust proxy')
  if (hasWarned || req.headers['x-forwarded-for'] === undefined || (trust !== false && trust !== true)) return
  hasWarned = true
  const why = trust
    ? 'is true, so any client can claim any address'
    : 'is off, so all clients behind the proxy share one address'
  const cure = 'Set it to the number of proxies or to their addresses.'
  process.emitWarning(`X-Forwarded-For came in and "trust proxy" ${why}. ${cure}`, 'ExpressEmailOtpWarning')
}
