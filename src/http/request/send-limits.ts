import { isIPv4, isIPv6 } from 'node:net'
import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { ADDRESS_BUCKET, type SendBuckets } from '../../challenge/challenge.js'
import { storeKey } from '../../challenge/store-key.js'
import { mac } from '../../crypto/keys.js'
import type { OtpRequest } from '../../express-types.js'
import type { RequestContext } from './context.js'
import type { Identity } from '../../identity/user.js'
import { sessionState } from '../../session/storage.js'
import type { ExtraBucket } from '../../stores/store.js'
import { warnOnce } from '../../warn.js'

/**
 * The buckets that a mail takes a permit from. A stranger who types somebody's address uses up the mails of one network
 * only. A browser that has proven the address is not refused because of others: it has a bucket of its own, and one with all
 * browsers that have proven the address, or whoever proves a mailbox as ever new browsers gets any number of mails.
 */
export function sendBuckets(
  ctx: RequestContext,
  { ref }: Identity,
  existing: OpenChallenge | null,
  browser: string | null,
): SendBuckets {
  const { sendsPerUser, sendsPerAddress } = ctx.services.settings.limits
  const once = onceBucket(ctx, existing)
  if (ref.type === 'user') return { sends: sendsPerUser, extraBuckets: once }
  const [own, all] =
    browser === null
      ? [`sends:network:${networkKey(ctx)}`, ADDRESS_BUCKET]
      : [`sends:browser:${browser}`, `${ADDRESS_BUCKET}:browsers`]
  return { sends: { ...sendsPerUser, bucket: own }, extraBuckets: [{ bucket: all, ...sendsPerAddress }, ...once] }
}

/**
 * Of two sends at one moment in one session, only one may open a challenge: the session can hold one, so the code of the
 * other mail would be wrong. Both see the same state of the session, which names the bucket.
 */
function onceBucket({ services, req, stepUp }: RequestContext, existing: OpenChallenge | null): ExtraBucket[] {
  const { settings } = services
  const state = sessionState(settings, req)
  if (state === null) return []
  const binding = [stepUp.purpose, stepUp.details, existing?.id ?? null]
  const name = mac(settings.keys.current.store, 'once', state, ...binding)
    .toString('base64url')
    .slice(0, 16)
  return [{ bucket: `once:${name}`, onlyIfFresh: true, ...settings.limits.resend }]
}

/** Takes a permit from the client's `sendsPerIp`. Returns the seconds to wait, or null if there was a permit. */
export async function takeIpSend(
  ctx: RequestContext,
  identity: Identity,
  existing: OpenChallenge | null,
): Promise<number | null> {
  const { stepUp, services } = ctx
  const { settings, store, events } = services
  warnAboutProxy(ctx.req)
  const request = { user: networkKey(ctx), bucket: 'sends', isAnonymous: true, ...settings.limits.sendsPerIp }
  const spent = await store.spend(request)
  if (spent.outcome === 'spent') return null
  events.publish({ type: 'throttled', ...eventContext(identity, stepUp, existing), outcome: 'sendsPerIp' })
  return spent.retryAfter
}

function networkKey({ req, services }: RequestContext): string {
  return storeKey(services.settings.keys.current, { type: 'ip', id: clientNetwork(req.ip ?? '') })
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

/** Warns once if `req.ip` does not tell clients apart. */
export function warnAboutProxy(req: OtpRequest): void {
  const trust = req.app.get('trust proxy')
  if (req.headers['x-forwarded-for'] === undefined || (trust !== false && trust !== true)) return
  const reason = trust
    ? 'is true, so any client can claim any address'
    : 'is off, so all clients behind the proxy share one address'
  const hint = 'Set it to the number of proxies or to their addresses.'
  warnOnce('OTP_TRUST_PROXY', `a request has X-Forwarded-For, but "trust proxy" ${reason}. ${hint}`)
}
