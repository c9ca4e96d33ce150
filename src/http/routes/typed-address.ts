import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { mac } from '../../crypto/keys.js'
import { wrapError } from '../../errors.js'
import { callHostFunction } from '../../host-callback.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import { clientNetwork, warnAboutProxy } from '../request/ip-limit.js'
import type { Problem } from '../response/problem.js'
import { parseAddress } from '../../identity/address.js'
import { type Identity, identityFromAddress } from '../../identity/user.js'
import type { Services } from '../../services.js'
import { findChallenge } from '../../session/challenges.js'
import { withTimeout } from '../../timeout.js'

/** A host that has not said by then whether it takes an address hangs. */
const ACCEPT_MS = 5_000

/** The address that was typed; a form without the field asks for the one that was typed before. */
export function readTypedAddress({ req, stepUp }: RequestContext): Identity | Problem {
  const typed = readField(req.body, 'email', 254)
  if (typed === undefined) return { problem: hasText(req.body) ? 'invalid_email' : 'bad_request' }
  const address = parseAddress(typed ?? findChallenge(req, stepUp, null)?.identity.email ?? '')
  return address ? identityFromAddress(address) : { problem: 'invalid_email' }
}

// A long address is a mistake of form, not of shape: it gets the form back.
function hasText(body: unknown): boolean {
  return typeof (body as { email?: unknown } | undefined)?.email === 'string'
}

export async function isAccepted(
  { settings, events }: Services,
  ctx: RequestContext,
  identity: Identity,
): Promise<boolean> {
  const { address } = identity.address
  const answer = callHostFunction('typedEmail.accept', () => settings.typedEmail?.accept(address, ctx.req))
  // The place of its mail is held meanwhile: without an end, some hundred addresses of a slow domain would take them all.
  const accepted = await withTimeout(settings.clock, ACCEPT_MS, answer).catch((error: unknown) => {
    throw wrapError('host_callback', '`typedEmail.accept` hung.', error)
  })
  if (accepted === true) return true
  events.publish({ type: 'refused', ...eventContext(identity, ctx.stepUp, null), outcome: 'not_accepted' })
  return false
}

export async function takeIpSend(
  { settings, store, events }: Services,
  { req, stepUp }: RequestContext,
  identity: Identity,
  known: OpenChallenge | null,
): Promise<number | null> {
  warnAboutProxy(req)
  const user = mac(settings.keys.current.store, 'ip', clientNetwork(req.ip ?? ''))
    .toString('base64url')
    .slice(0, 27)
  const spent = await store.spend({ user, bucket: 'sends', ...settings.limits.sendsPerIp })
  if (spent.outcome === 'spent') return null
  events.publish({ type: 'throttled', ...eventContext(identity, stepUp, known), outcome: 'sendsPerIp' })
  return spent.retryAfter
}
