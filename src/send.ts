import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddress } from './address.js'
import { about, issue, type Issued } from './challenge.js'
import { giveSendBack, mailCode, mailNobody } from './mailing.js'
import type { Parts } from './parts.js'
import { OtpError, otpError } from './errors.js'
import { networkOf, warnAboutProxy } from './network.js'
import { mac } from './keys.js'
import { type Person, personOfAddress } from './person.js'
import type { Answer, Problem } from './problem.js'
import { amendChallenge, challengeOf, keepChallenge } from './session.js'
import type { OpenChallenge } from './session-records.js'
import { saveSession } from './host-session.js'
import { describeChallenge, pageUrl } from './state.js'
import { callHost, readField, type Visit } from './visit.js'

/** How long a known user waits for the truth about the mail, before "on its way" is the truth. */
const PATIENCE_MS = 3_000

/** `POST /send`: mails the code, to the known user or to the typed address. */
export async function send(parts: Parts, visit: Visit): Promise<Answer> {
  const { settings } = parts
  const person = visit.person ?? typedPerson(parts, visit)
  if ('problem' in person) return person
  const known = challengeOf(visit.req, visit.stepUp, person.holder)
  const isTyped = visit.person === null
  if (isTyped) {
    const wait = await spendIp(parts, visit, person, known)
    if (wait !== null) return tooMany(wait)
  }
  const isAccepted = !isTyped || (await isAcceptable(parts, visit, person))
  const issued = await issue(parts, person, visit.stepUp, known, visit.locale, isAccepted)
  if (issued.outcome === 'throttled') return tooMany(issued.retryAfter)

  keepChallenge(visit.req, issued.challenge)
  await saveSession(visit.req)
  const delivery = isTyped ? 'queued' : await mailNow(parts, visit, person, issued)
  const isFailed = delivery === 'refused' || delivery === 'unavailable'
  const challenge: OpenChallenge = { ...issued.challenge, delivery: isFailed ? 'failed' : delivery }
  if (delivery !== 'queued') await amendChallenge(visit.req, challenge, { delivery: challenge.delivery }, 'stored')
  if (isFailed) return { problem: delivery === 'refused' ? 'mail_refused' : 'mail_unavailable' }
  return {
    goTo: pageUrl(settings, visit.sealed),
    json: describeChallenge(settings, challenge),
    // After the answer, so that its time does not tell whether a mail was made. Nothing is given back either: a budget
    // that shrinks only for real mailboxes would tell the same.
    ...(isTyped && {
      afterwards: () => void (isAccepted ? mailCode : mailNobody)(parts, person, visit.stepUp, issued),
    }),
  }
}

/** The address that was typed; a form without the field asks for the one that was typed before. */
function typedPerson({ settings }: Parts, { req, stepUp }: Visit): Person | Problem {
  if (!settings.typedEmail) return { problem: 'sign_in_required' }
  const typed = readField(req.body, 'email', 254)
  if (typed === undefined) return { problem: isTooLong(req.body) ? 'invalid_email' : 'bad_request' }
  const address = parseAddress(typed ?? challengeOf(req, stepUp, null)?.holder.email ?? '')
  return address ? personOfAddress(address) : { problem: 'invalid_email' }
}

// A long address is a mistake of form, not of shape: it gets the form back.
function isTooLong(body: unknown): boolean {
  return typeof (body as { email?: unknown } | undefined)?.email === 'string'
}

async function isAcceptable({ settings, events }: Parts, visit: Visit, person: Person): Promise<boolean> {
  const { address } = person.address
  const accepted = await callHost('typedEmail.accept', () => settings.typedEmail?.accept(address, visit.req))
  if (accepted === true) return true
  events.publish({ type: 'refused', ...about(person, visit.stepUp, null), outcome: 'not_accepted' })
  return false
}

async function spendIp(
  { settings, store, events }: Parts,
  { req, stepUp }: Visit,
  person: Person,
  known: OpenChallenge | null,
): Promise<number | null> {
  warnAboutProxy(req)
  const user = mac(settings.keys.current.store, 'ip', networkOf(req.ip ?? ''))
    .toString('base64url')
    .slice(0, 27)
  const spent = await store.spend({ user, bucket: 'sends', ...settings.limits.sendsPerIp })
  if (spent.outcome === 'spent') return null
  events.publish({ type: 'throttled', ...about(person, stepUp, known), outcome: 'sendsPerIp' })
  return spent.retryAfter
}

/** Waits for the mail server as long as a person would, then lets the mail go on by itself. */
async function mailNow(
  parts: Parts,
  { stepUp }: Visit,
  person: Person,
  issued: Issued,
): Promise<'sent' | 'queued' | 'refused' | 'unavailable'> {
  const patience = new AbortController()
  const mailed = mailCode(parts, person, stepUp, issued).then(async (outcome) => {
    if (outcome === 'accepted') return 'sent'
    await giveSendBack(parts, person, issued.challenge).catch((error: unknown) => {
      const failure = otpError('store_unavailable', 'a send could not be given back.', error)
      parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    })
    return outcome
  })
  const late = sleep(PATIENCE_MS, 'queued' as const, { signal: patience.signal })
  late.catch(() => undefined) // stopped below
  const delivery = await Promise.race([mailed, late])
  patience.abort()
  return delivery
}

function tooMany(seconds: number): Problem {
  return { problem: 'too_many_requests', members: { retry_after: seconds } }
}

/** For `otp.start()`: the same as the form, for whoever is signed in. */
export async function sendTo(parts: Parts, visit: Visit): Promise<'sent' | 'queued' | 'failed' | 'throttled'> {
  if (visit.person === null) throw new OtpError('invalid_user', 'otp.start() needs a user: sign the person in first.')
  const answer = await send(parts, visit)
  if (!('problem' in answer)) return 'json' in answer && answer.json.delivery === 'sent' ? 'sent' : 'queued'
  return answer.problem === 'too_many_requests' ? 'throttled' : 'failed'
}
