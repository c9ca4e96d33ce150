import { hasSession } from './host-session.js'
import type { Parts } from './parts.js'
import { type LiveChallenge, type State, stateOf } from './state.js'
import type { Visit } from './visit.js'
import { say, type Words } from './words.js'

/**
 * What became of the mail, in words. For a known user the truth, as exact as there is a text for it; for a typed address
 * one text whatever it is: else the page would tell who has a mailbox.
 */
export function deliveryText(words: Words, { person }: Visit, { delivery, trouble, masked }: LiveChallenge): string {
  const known = trouble ? [`${delivery}.${trouble}`, `${delivery}.trouble`] : []
  const keys = [...(person ? known : [`${delivery}.typed`]), delivery].map((key) => `code.${key}`)
  return say(words, keys.find((key) => key in words) ?? '', { recipient: masked })
}

/**
 * What to say of a mail that failed for just this reason: a full mailbox, or a newer mail to the same person that took
 * its place (null). Nothing when it was another reason.
 */
export function refusalText(parts: Parts, visit: Partial<Visit>, reason: 'mailbox-full' | null): string | null {
  if (!isWhole(visit)) return null
  const { challenge } = stateOf(parts, visit)
  if (challenge?.delivery !== 'failed' || challenge.trouble !== reason) return null
  return deliveryText(parts.views.words(visit.locale), visit, challenge)
}

function isWhole(visit: Partial<Visit>): visit is Visit {
  return visit.req !== undefined && hasSession(visit.req)
}

/** That the mail of a code that still works did not go out, for the page that offers to send it again; else nothing. */
export function lossText(
  { settings, views }: Parts,
  visit: Visit,
  state: State['state'],
  challenge: LiveChallenge | null,
): string {
  const isLost = challenge?.delivery === 'failed' && state === 'send' && challenge.expires > settings.now()
  return isLost ? deliveryText(views.words(visit.locale), visit, challenge) : ''
}
