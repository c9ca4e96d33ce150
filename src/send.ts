import { issue } from './challenge.js'
import type { CodeErrand } from './errand.js'
import { OtpError } from './errors.js'
import type { NoPlace, Place } from './mail/places.js'
import { mailNobody, postMail } from './mailing.js'
import type { Parts } from './parts.js'
import { giveSendBack, mailInTime } from './patience.js'
import type { Person } from './person.js'
import type { Answer, Problem } from './problem.js'
import { amendChallenge, challengeOf, keepChallenge } from './session.js'
import type { OpenChallenge } from './session-records.js'
import { saveSession } from './host-session.js'
import { describeChallenge, pageUrl } from './state.js'
import { isAcceptable, spendIp, typedPerson } from './typed.js'
import type { Visit } from './visit.js'

type Sent = Extract<Answer, { goTo: string }>

const REPLACED = { outcome: 'withdrawn', reason: 'replaced' } as const

/**
 * `POST /send`: mails the code, to the known user or to the typed address. Whether mail can be taken at all is asked
 * first, so that a mail server that is down says nothing about anybody, and nothing is counted.
 */
export async function send(parts: Parts, visit: Visit): Promise<Answer> {
  if (visit.person === null && !parts.settings.typedEmail) return { problem: 'sign_in_required' }
  const place = parts.mailer.reserve(visit.person !== null)
  if ('reason' in place) return noMail(parts, visit, place)
  let isKept = false
  try {
    const { person } = visit
    const answer = person ? await sendToUser(parts, visit, person, place) : await sendToTyped(parts, visit, place)
    isKept = 'afterwards' in answer
    return answer
  } finally {
    if (!isKept) place.release()
  }
}

/** A known user: the truth about the mail, as far as it is known in time. */
async function sendToUser(parts: Parts, visit: Visit, person: Person, place: Place): Promise<Answer> {
  const { stepUp, req } = visit
  const issued = await open(parts, visit, person, challengeOf(req, stepUp, person.holder), true)
  if (issued.outcome === 'throttled') return tooMany(issued.retryAfter)
  const told = await mailInTime(parts, place, { view: 'code', person, stepUp, challenge: issued.challenge })
  const isFailed = told === 'refused' || told === 'unavailable'
  const challenge: OpenChallenge = { ...issued.challenge, delivery: isFailed ? 'failed' : told }
  if (told !== 'queued') await amendChallenge(req, challenge, { delivery: challenge.delivery }, 'stored')
  if (!isFailed) return sent(parts, visit, challenge)
  return told === 'refused' ? { problem: 'mail_refused' } : unavailable(parts.mailer.health().retryAfter)
}

/**
 * A typed address: one answer, whatever becomes of the mail. It is made after the answer, so that its time does not tell
 * whether a mail was made. Nothing is given back either: a budget that shrinks only for real mailboxes would tell the same.
 */
async function sendToTyped(parts: Parts, visit: Visit, place: Place): Promise<Answer> {
  const person = typedPerson(visit)
  if ('problem' in person) return person
  const { req, stepUp } = visit
  const known = challengeOf(req, stepUp, person.holder)
  const wait = await spendIp(parts, visit, person, known)
  if (wait !== null) return tooMany(wait)
  const isAccepted = await isAcceptable(parts, visit, person)
  const issued = await open(parts, visit, person, known, isAccepted)
  if (issued.outcome === 'throttled') return tooMany(issued.retryAfter)
  const errand: CodeErrand = { view: 'code', person, stepUp, challenge: issued.challenge }
  return {
    ...sent(parts, visit, issued.challenge),
    afterwards: () => {
      if (isAccepted) postMail(parts, place, errand)
      else void mailNobody(parts, place, errand)
    },
  }
}

/** Opens the challenge and has it remembered before any mail goes out. */
async function open(
  parts: Parts,
  visit: Visit,
  person: Person,
  known: OpenChallenge | null,
  isMailable: boolean,
): Promise<Awaited<ReturnType<typeof issue>>> {
  const issued = await issue(parts, person, visit.stepUp, known, visit.locale, isMailable)
  if (issued.outcome === 'throttled') return issued
  // A code that another one has replaced is not worth a mail any more.
  if (known && known.id !== issued.challenge.id) parts.mailer.withdraw(known.id, REPLACED)
  keepChallenge(visit.req, issued.challenge)
  try {
    await saveSession(visit.req)
  } catch (error) {
    // Nothing is mailed, so it costs nothing. Of a typed address every send costs the same.
    if (visit.person) {
      parts.fates.set(issued.challenge, { delivery: 'failed', class: 'config' })
      await giveSendBack(parts, { person, challenge: issued.challenge })
    }
    throw error
  }
  return issued
}

function sent({ settings }: Parts, visit: Visit, challenge: OpenChallenge): Sent {
  return { goTo: pageUrl(settings, visit.sealed), json: describeChallenge(settings, challenge) }
}

function tooMany(seconds: number): Problem {
  return { problem: 'too_many_requests', members: { retry_after: seconds } }
}

function unavailable(retryAfter: number): Problem {
  return { problem: 'mail_unavailable', ...(retryAfter > 0 && { members: { retry_after: retryAfter } }) }
}

function noMail({ events }: Parts, { person, stepUp }: Visit, { reason, retryAfter }: NoPlace): Problem {
  const user = person?.user ? person.holder.id : null
  events.publish({ type: 'refused', user, purpose: stepUp.purpose, tag: null, outcome: `mail_${reason}` })
  return unavailable(retryAfter)
}

/** For `otp.start()`: the same as the form, for whoever is signed in. */
export async function sendTo(parts: Parts, visit: Visit): Promise<'sent' | 'queued' | 'failed' | 'throttled'> {
  if (visit.person === null) throw new OtpError('invalid_user', 'otp.start() needs a user: sign the person in first.')
  const answer = await send(parts, visit)
  if (!('problem' in answer)) return 'json' in answer && answer.json.delivery === 'sent' ? 'sent' : 'queued'
  return answer.problem === 'too_many_requests' ? 'throttled' : 'failed'
}
