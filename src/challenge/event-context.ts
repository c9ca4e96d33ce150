import type { OpenChallenge } from './records.js'
import type { StepUp } from './step-up.js'
import type { EventContext } from '../events.js'
import type { Identity } from '../identity/user.js'

/** What events say about whom and what for. */
export function eventContext(
  identity: Identity | null,
  stepUp: Pick<StepUp, 'purpose'>,
  challenge: Pick<OpenChallenge, 'tag'> | null,
): EventContext {
  const user = identity?.user ? identity.ref.id : null
  return { user, purpose: stepUp.purpose, tag: challenge?.tag ?? null }
}
