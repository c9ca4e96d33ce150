import { isIPv4, isIPv6 } from 'node:net'
import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { storeKey } from '../../challenge/store-key.js'
import type { OtpRequest } from '../../express-types.js'
import type { RequestContext } from './context.js'
import type { Identity } from '../../identity/user.js'

/** Takes a permit from the client's `sendsPerIp`. Returns the seconds to wait, or null if there was a permit. */
export async function takeIpSend(
  { req, stepUp, services }: RequestContext,
  identity: Identity,
  existing: OpenChallenge | null,
): Promise<number | null> {
  const { settings, store, events } = services
  warnAboutProxy(req)
  const user = storeKey(settings.keys.current, { type: 'ip', id: clientNetwork(req.ip ?? '') })
  const spent = await store.spend({ user, bucket: 'sends', ...settings.limits.sendsPerIp })
  if (spent.outcome === 'spent') return null
  events.publish({ type: 'throttled', ...eventContext(identity, stepUp, existing), outcome: 'sendsPerIp' })
  return spent.retryAfter
}

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

/** Warns once if `req.ip` does not tell clients apart. */
export function warnAboutProxy(req: OtpRequest): void {
  const trust = req.app.get('trust proxy')
  if (hasWarned || req.headers['x-forwarded-for'] === undefined || (trust !== false && trust !== true)) return
  hasWarned = true
  const reason = trust
    ? 'is true, so any client can claim any address'
    : 'is off, so all clients behind the proxy share one address'
  const hint = 'Set it to the number of proxies or to their addresses.'
  process.emitWarning(`A request has X-Forwarded-For, but "trust proxy" ${reason}. ${hint}`, 'ExpressEmailOtpWarning')
}
