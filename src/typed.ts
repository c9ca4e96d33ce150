import { parseAddress } from './address.js'
import { about } from './challenge.js'
import { within } from './deadline.js'
import { otpError } from './errors.js'
import { mac } from './keys.js'
import { networkOf, warnAboutProxy } from './network.js'
import type { Parts } from './parts.js'
import { type Person, personOfAddress } from './person.js'
import type { Problem } from './problem.js'
import { challengeOf } from './session.js'
import type { OpenChallenge } from './session-records.js'
import { callHost, readField, type Visit } from './visit.js'

/** A host that has not said by then whether it takes an address hangs. */
const ACCEPT_MS = 5_000

/** The address that was typed; a form without the field asks for the one that was typed before. */
export function typedPerson({ req, stepUp }: Visit): Person | Problem {
  const typed = readField(req.body, 'email', 254)
  if (typed === undefined) return { problem: isTooLong(req.body) ? 'invalid_email' : 'bad_request' }
  const address = parseAddress(typed ?? challengeOf(req, stepUp, null)?.holder.email ?? '')
  return address ? personOfAddress(address) : { problem: 'invalid_email' }
}

// A long address is a mistake of form, not of shape: it gets the form back.
function isTooLong(body: unknown): boolean {
  return typeof (body as { email?: unknown } | undefined)?.email === 'string'
}

export async function isAcceptable({ settings, events }: Parts, visit: Visit, person: Person): Promise<boolean> {
  const { address } = person.address
  const answer = callHost('typedEmail.accept', () => settings.typedEmail?.accept(address, visit.req))
  // The place of its mail is held meanwhile: without an end, some hundred addresses of a slow domain would take them all.
  const accepted = await within(ACCEPT_MS, answer).catch((error: unknown) => {
    throw otpError('host_callback', '`typedEmail.accept` hung.', error)
  })
  if (accepted === true) return true
  events.publish({ type: 'refused', ...about(person, visit.stepUp, null), outcome: 'not_accepted' })
  return false
}

export async function spendIp(
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
