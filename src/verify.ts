import { randomBytes } from 'node:crypto'
import { parseAddress } from './address.js'
import { alertOwner } from './alert.js'
import { about, verify as redeem } from './challenge.js'
import { OtpError } from './errors.js'
import type { Parts } from './parts.js'
import { refreshSession, renewSession, saveSession } from './host-session.js'
import { type Person, personOfAddress } from './person.js'
import type { Answer } from './problem.js'
import { amendChallenge, challengeOf, dropChallenge, dropGrant, keepGrant } from './session.js'
import type { OpenChallenge } from './session-records.js'
import { destination, pageUrl } from './state.js'
import { callHost, readField, type Visit, whoIs } from './visit.js'

/** What becomes of a mail that still waits when its code is of no more use. */
const USED = { outcome: 'withdrawn', reason: 'used' } as const

/** `POST /verify`: looks at the code, at most as often as the store lets it. */
export async function verify(parts: Parts, visit: Visit): Promise<Answer> {
  const { req, stepUp } = visit
  if (visit.person === null && !parts.settings.typedEmail) return { problem: 'sign_in_required' }
  const typed = readField(req.body, 'code', 64)
  if (typed === undefined || typed === null) return { problem: 'bad_request' }
  const challenge = challengeOf(req, stepUp, visit.person?.holder ?? null)
  const person = visit.person ?? (challenge && personOfChallenge(challenge))
  if (challenge === null || person === null) return { problem: 'no_challenge' }

  // Remembered only so that the page offers a new code instead of a field that nothing fits.
  const end = (): Promise<void> => {
    parts.mailer.withdraw(challenge.id, USED)
    return amendChallenge(req, challenge, { ended: true }, 'ours')
  }
  const redeemed = await redeem(parts, person, stepUp, challenge, typed)
  switch (redeemed.outcome) {
    case 'malformed':
      return { problem: 'invalid_code_format' }
    case 'mismatch':
      // A typed address has passed no first step: whoever typed wrong codes for it knows nothing of its owner's.
      if (redeemed.escalated && person.user) void alertOwner(parts, person, stepUp)
      if (redeemed.attemptsLeft < 1) await end()
      return { problem: 'wrong_code', members: { attempts_left: redeemed.attemptsLeft } }
    case 'exhausted':
      await end()
      return { problem: 'code_exhausted' }
    case 'absent':
      // Nothing is written: a right answer that came twice is told so here, and writing would bring back the session
      // that the first one has just replaced.
      return { problem: 'code_expired' }
    case 'longer':
      await end()
      return { problem: 'longer_code_required' }
    case 'redeemed':
      parts.mailer.withdraw(challenge.id, USED)
      return admit(parts, visit, person, challenge)
  }
}

/** `POST /restart`: forgets the challenge, so that another address or a new code can be asked for. */
export async function restart({ settings, mailer }: Parts, visit: Visit): Promise<Answer> {
  const holder = visit.person?.holder ?? null
  // Taken anew, since a verification beside this may have renewed the session.
  const challenge = challengeOf(visit.req, visit.stepUp, holder)
  if (challenge && (await refreshSession(visit.req, 'ours'))) {
    mailer.withdraw(challenge.id, USED)
    dropChallenge(visit.req, visit.stepUp)
    await saveSession(visit.req)
  }
  return { goTo: pageUrl(settings, visit.sealed), json: { state: visit.person ? 'send' : 'email' } }
}

/**
 * The code was right and is spent. In this order: new session id, the host's `onVerified`, grant, save; if any of
 * it fails there is no grant.
 */
async function admit(parts: Parts, visit: Visit, person: Person, challenge: OpenChallenge): Promise<Answer> {
  const { settings, events } = parts
  const { req, stepUp } = visit
  const { purpose, details } = stepUp
  const id = randomBytes(16).toString('base64url')
  const at = settings.now()
  // Whoever signed out while the code was looked at must not be signed in again by the copy that we hold.
  if (!(await refreshSession(req, 'ours'))) {
    throw new OtpError('session_unavailable', 'the session ended while the code was looked at.')
  }
  try {
    await renewSession(req)
    const user = person.user ?? { id: person.holder.id, email: person.holder.email }
    await callHost('onVerified', () => settings.onVerified(req, { user, purpose }))
    // `onVerified` may have signed somebody in. The proof is theirs only if the proven address is.
    const now = await whoIs(settings, req)
    const holder = now?.address.key === person.address.key ? now.holder : personOfAddress(person.address).holder
    keepGrant(req, { id, at, purpose, details, holder })
    await saveSession(req)
  } catch (error) {
    dropGrant(req, id)
    throw error
  }
  const seconds = Math.max(0, Math.round((at - challenge.resendAt) / 1000 + settings.limits.resend.refill))
  events.publish({ type: 'verified', ...about(person, stepUp, challenge), outcome: 'redeemed', seconds })
  const to = destination(settings, visit)
  return { goTo: to, json: { verified: true, purpose, return_to: to } }
}

function personOfChallenge({ holder }: OpenChallenge): Person | null {
  const address = parseAddress(holder.email)
  return address && personOfAddress(address)
}
