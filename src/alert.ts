import { about, storeKey } from './challenge.js'
import { otpError } from './errors.js'
import { postMail } from './mailing.js'
import type { Parts } from './parts.js'
import type { Person } from './person.js'
import type { StepUp } from './step-up.js'
import { wordsFor } from './visit.js'

const A_DAY = { capacity: 1, refill: 86_400 }

/**
 * Tells the owner that ten wrong codes were typed in a session that had passed the first step: whoever it was knows the
 * password. At most once a day, over all processes. In the language of the owner, not of whoever typed.
 * Nobody waits for it, and what goes wrong is told to the events alone.
 */
export async function alertOwner(parts: Parts, person: Person, stepUp: StepUp): Promise<void> {
  const { settings, events, mailer } = parts
  // Patient: who knows how to keep the mail server away must not keep the alert away.
  const place = mailer.reserve(true, true)
  if ('reason' in place) {
    events.publish({ type: 'refused', ...about(person, stepUp, null), outcome: `mail_${place.reason}` })
    return
  }
  try {
    if (!(await spendAlert(parts, person, 1))) return
    const [locale, at] = [ownLocale(parts, person), settings.now()]
    postMail(parts, place, { view: 'alert', person, stepUp, challenge: null, locale, at }, (news) => {
      const isLost = news !== null && news.again === null && news.delivery.outcome !== 'accepted'
      if (isLost) void spendAlert(parts, person, -1).catch((error: unknown) => fail(parts, error))
    })
  } catch (error) {
    fail(parts, error)
  } finally {
    place.release()
  }
}

/** Takes the one alert of a day, or gives it back. */
async function spendAlert({ settings, store }: Parts, person: Person, permits: 1 | -1): Promise<boolean> {
  const user = storeKey(settings.keys.current, person.holder)
  const back = permits === 1 ? {} : { permits }
  return (await store.spend({ user, bucket: 'alert', ...back, ...A_DAY })).outcome === 'spent'
}

function ownLocale({ settings, views }: Parts, { locale }: Person): string {
  return wordsFor(views.locales, locale ?? '') ?? settings.locale
}

function fail({ events }: Parts, error: unknown): void {
  const failure = otpError('store_unavailable', 'the alert to the owner could not be sent.', error)
  events.publish({ type: 'failed', outcome: failure.code, error: failure })
}
