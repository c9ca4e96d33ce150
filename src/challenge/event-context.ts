import type { OpenChallenge } from './records.js'
import type { StepUp } from './step-up.js'
import type { EventContext } from '../events.js'
import type { Identity } from '../identity/user.js'

/** The members that all events about a request have. */
export function eventContext(
  identity: Identity | null,
  stepUp: Pick<StepUp, 'purpose'>,
  challenge: Pick<OpenChallenge, 'tag'> | null,
): EventContext {
  const user = identity?.user ? identity.ref.id : null
  return { user, purpose: stepUp.purpose, tag: challenge?.tag ?? null }
}
