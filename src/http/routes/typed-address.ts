import { eventContext } from '../../challenge/event-context.js'
import { callWithTimeout } from '../../host-callback.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import { type Problem, problem } from '../response/problem.js'
import { parseAddress } from '../../identity/address.js'
import { type Identity, identityFromAddress } from '../../identity/user.js'
import { findChallenge } from '../../session/challenges.js'

const MAX_ADDRESS_LENGTH = 254

type TypedAddress = { readonly type: 'typed'; readonly identity: Identity } | Problem

/** The typed address; without the field, the one of the existing challenge. */
export function readTypedAddress({ services, req, stepUp }: RequestContext): TypedAddress {
  const typed = readField(req.body, 'email', MAX_ADDRESS_LENGTH)
  // Too long is a typing mistake; any other shape was not sent by a form.
  if (typed === undefined) return problem(isText(req.body) ? 'invalid_email' : 'bad_request')
  const before = typed ?? findChallenge(services.settings, req, stepUp, null)?.identity.email
  const address = parseAddress(before ?? '')
  return address ? { type: 'typed', identity: identityFromAddress(address) } : problem('invalid_email')
}

/** Asks the host whether it mails this address. */
export async function isAccepted({ services, req, stepUp }: RequestContext, identity: Identity): Promise<boolean> {
  const { settings, events } = services
  const { address } = identity.address
  // The request has a reservation in the send queue: without a timeout, slow `accept` calls could take every place.
  const answer = callWithTimeout(settings.clock, 'typedEmail.accept', () => settings.typedEmail?.accept(address, req))
  if ((await answer) === true) return true
  events.publish({ type: 'refused', ...eventContext(identity, stepUp, null), outcome: 'not_accepted' })
  return false
}

function isText(body: unknown): boolean {
  return typeof (body as { email?: unknown } | undefined)?.email === 'string'
}
