import { setTimeout as sleep } from 'node:timers/promises'
import { storeKey } from './challenge.js'
import type { CodeErrand } from './errand.js'
import { otpError } from './errors.js'
import type { Place } from './mail/places.js'
import { failureOf } from './mail/failure.js'
import type { News } from './mail/post.js'
import { postMail } from './mailing.js'
import type { Parts } from './parts.js'

/** What a known user is told about the mail. */
export type Told = 'sent' | 'queued' | 'refused' | 'unavailable'

/** How long a known user waits for the truth about the mail, before "on its way" is the truth. */
const PATIENCE_MS = 3_000
/** Failed mails at once that cost a user nothing: enough to sit out a bad hour. */
const REFUNDS = 20

/**
 * Mails a known user, and waits for the mail server as long as a person would. What comes later is remembered for the
 * page. A mail that failed gives its send back, also when that is known only after the answer.
 */
export async function mailInTime(parts: Parts, place: Place, errand: CodeErrand): Promise<Told> {
  const { mailer, settings } = parts
  const patience = new AbortController()
  const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined)
  const deadline = performance.now() + PATIENCE_MS
  let told: Told = 'queued'
  let hear: () => void = () => undefined
  const heard = new Promise<void>((resolve) => (hear = resolve))
  let settled: Promise<void> = Promise.resolve()

  parts.fates.set(errand.challenge, { delivery: 'queued', class: null })
  postMail(parts, place, errand, (news) => {
    if (news === null) return hear()
    settled = remember(parts, errand, news)
    told = toldOf(news)
    const isSoon = news.again !== null && news.again - settings.now() < deadline - performance.now()
    if (!isSoon) hear()
  })
  await Promise.race([heard, late])
  patience.abort()
  // Nothing goes out for a while: then that is the truth, and the mail does not go out behind the person's back.
  if (mailer.health().breaker === 'open') mailer.withdraw(errand.challenge.id, failureOf('connect', 'breaker open'))
  await settled
  return told
}

function toldOf({ delivery, again }: News): Told {
  if (delivery.outcome === 'accepted') return 'sent'
  return again !== null || delivery.outcome === 'withdrawn' ? 'queued' : delivery.outcome
}

async function remember(parts: Parts, errand: CodeErrand, { delivery, again }: News): Promise<void> {
  const { challenge } = errand
  if (delivery.outcome === 'withdrawn') return
  if (delivery.outcome === 'accepted') {
    parts.fates.set(challenge, { delivery: 'sent', class: null })
    return
  }
  // A mail that a newer one displaced has not failed at anything that could be told.
  const why = delivery.reason === 'replaced' ? null : delivery.class
  parts.fates.set(challenge, { delivery: again === null ? 'failed' : 'queued', class: why })
  if (again === null) await giveSendBack(parts, errand)
}

/**
 * A mail failed, so its send costs nothing: neither the daily one nor the pause until the next. Itself limited: else a
 * mailbox that refuses everything would be a way to open challenges without end. Never throws: what cannot be given back
 * stays spent, and the events say so.
 */
export async function giveSendBack(
  { settings, store, events }: Parts,
  { person, challenge }: Pick<CodeErrand, 'person' | 'challenge'>,
): Promise<void> {
  const user = storeKey(settings.keys.current, person.holder)
  const { sendsPerUser, resend } = settings.limits
  try {
    const isEarned = await store.spend({ user, bucket: 'refunds', capacity: REFUNDS, refill: sendsPerUser.refill })
    if (isEarned.outcome === 'throttled') return
    await Promise.all([
      store.spend({ user, bucket: 'sends', permits: -1, ...sendsPerUser }),
      store.spend({ user, bucket: `resend:${challenge.id}`, permits: -1, ...resend }),
    ])
  } catch (error) {
    const failure = otpError('store_unavailable', 'a send could not be given back.', error)
    events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}
