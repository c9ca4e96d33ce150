import type { RequestContext } from '../request/context.js'
import type { RouteResult } from '../response/problem.js'
import { pageUrl } from '../response/urls.js'
import { findChallenge, removeChallenge } from '../../session/challenges.js'
import { reloadSession, saveSession } from '../../session/host-session.js'

/** `POST /restart`: removes the challenge, so that another address can be typed or a new code requested. */
export async function handleRestart({ services, req, identity, stepUp, sealed }: RequestContext): Promise<RouteResult> {
  const { settings, sendQueue } = services
  const challenge = findChallenge(settings, req, stepUp, identity?.ref ?? null)
  // Reloaded, since a verification at the same time may have regenerated the session.
  if (challenge && (await reloadSession(settings, req, 'current')) === 'ok') {
    sendQueue.cancel(challenge.id, { outcome: 'cancelled', reason: 'used' })
    removeChallenge(settings, req, stepUp)
    await saveSession(settings, req)
  }
  return { type: 'redirect', to: pageUrl(settings, sealed), json: { state: identity ? 'send' : 'email' } }
}
