import { LONG } from './code.js'
import type { FailureClass } from './mail/failure.js'
import type { Parts } from './parts.js'
import { challengeOf, freshGrant } from './session.js'
import type { Grant, OpenChallenge } from './session-records.js'
import type { Settings } from './settings.js'
import type { Visit } from './visit.js'

/** A challenge, with what became of its mail after the session was written. */
export interface LiveChallenge extends OpenChallenge {
  /** Why the mail has not gone out, or not yet; null when nothing is known to have gone wrong. */
  readonly trouble: FailureClass | null
}

/** Where a person stands with a step-up, and so which page is shown. */
export interface State {
  readonly state: 'email' | 'send' | 'code' | 'verified'
  readonly challenge: LiveChallenge | null
  readonly grant: Grant | null
}

export function stateOf(parts: Parts, { req, person, stepUp }: Visit): State {
  const { settings, fates } = parts
  const now = settings.now()
  const holder = person?.holder ?? null
  const remembered = challengeOf(req, stepUp, holder)
  // Whoever typed an address is told nothing of its mail: else the page would tell who has a mailbox.
  const challenge = remembered && liveChallenge(remembered, person && fateOf(parts, remembered))
  const grant = freshGrant(req, stepUp, holder, stepUp.maxAge ?? settings.grantMaxAge, now)
  if (grant) return { state: 'verified', challenge, grant }
  const isOpen = challenge !== null && !challenge.ended && challenge.expires > now
  // Whoever has a code from an earlier mail may type it, though the later one was lost.
  const hasCode = challenge?.delivery !== 'failed' || challenge.mailed || fates.wasSent(challenge)
  if (isOpen && hasCode) return { state: 'code', challenge, grant }
  return { state: person === null && challenge === null ? 'email' : 'send', challenge, grant }
}

type Known = Pick<LiveChallenge, 'delivery' | 'trouble'>

function liveChallenge(remembered: OpenChallenge, known: Known | null): LiveChallenge {
  const challenge = { ...remembered, trouble: null, ...known }
  // A mail that failed has given back the pause until the next one.
  return challenge.delivery === 'failed' ? { ...challenge, resendAt: 0 } : challenge
}

function fateOf({ fates, mailer, mail }: Parts, challenge: OpenChallenge): Known | null {
  const fate = fates.of(challenge)
  if (!fate) return null
  // What a queue of the host's has taken does not wait for our breaker.
  const isStuck = mail.deliver === null && fate.delivery === 'queued' && mailer.health().breaker === 'open'
  return { delivery: fate.delivery, trouble: fate.class ?? (isStuck ? 'connect' : null) }
}

/** The state as JSON clients get it. */
export function describeState(parts: Parts, visit: Visit): Record<string, unknown> {
  const { settings } = parts
  const { state, challenge } = stateOf(parts, visit)
  const { purpose } = visit.stepUp
  if (state === 'code' && challenge) return { state, purpose, ...describeChallenge(settings, challenge) }
  if (state === 'verified') return { state, verified: true, purpose, return_to: destination(settings, visit) }
  return { state, purpose, ...(challenge?.delivery === 'failed' && { delivery: 'failed' }) }
}

/** The JSON members that describe an open challenge, the same wherever they stand. */
export function describeChallenge(settings: Settings, challenge: OpenChallenge): Record<string, unknown> {
  const { alphabet, length } = challenge.kind === 'long' ? LONG : settings.code
  const now = settings.now()
  return {
    sent_to: challenge.masked,
    format: alphabet === '0123456789' ? { digits: length } : { alphabet, length },
    expires_in: secondsUntil(challenge.expires, now),
    resend_in: secondsUntil(challenge.resendAt, now),
    tag: challenge.tag,
    delivery: challenge.delivery,
  }
}

export function secondsUntil(moment: number, now: number): number {
  return Math.max(0, Math.ceil((moment - now) / 1000))
}

/** Where a verification leads: to the guarded page, else `home`, else our own verified page. */
export function destination(settings: Settings, { stepUp }: Pick<Visit, 'stepUp'>): string {
  return stepUp.returnTo ?? settings.home ?? settings.path
}

/** Our page for a step-up. */
export function pageUrl(settings: Settings, sealed: string): string {
  return sealed ? `${settings.path}?for=${sealed}` : settings.path
}
