import type { RequestContext } from '../request/context.js'
import type { RouteResult } from '../response/problem.js'
import { pageUrl } from '../response/urls.js'
import { findChallenge, withoutChallenge } from '../../session/challenges.js'
import { updateSession } from '../../session/update-session.js'

/** `POST /restart`: removes the challenge, so that another address can be typed or a new code requested. */
export async function handleRestart({
  services,
  req,
  identity,
  stepUp,
  sealed,
  expectedUser,
}: RequestContext): Promise<RouteResult> {
  const { settings, sendQueue } = services
  const challenge = findChallenge(settings, req, stepUp, identity?.ref ?? null)
  if (challenge) {
    sendQueue.cancel(challenge.id, { outcome: 'cancelled', reason: 'used' })
    await updateSession(settings, req, expectedUser, (data) => withoutChallenge(data, challenge))
  }
  return { type: 'redirect', to: pageUrl(settings, sealed), json: { state: identity ? 'send' : 'email' } }
}
