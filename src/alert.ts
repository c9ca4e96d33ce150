import { storeKey } from './challenge.js'
import { otpError } from './errors.js'
import { postMail } from './mailing.js'
import type { Parts } from './parts.js'
import type { Person } from './person.js'
import type { StepUp } from './step-up.js'

const A_DAY = { capacity: 1, refill: 86_400 }

/**
 * Tells the owner that ten wrong codes were typed in a session that had passed the first step: whoever it was knows the
 * password. At most once a day, over all processes. In the language of the owner, not of whoever typed.
 * Nobody waits for it, and what goes wrong is told to the events alone.
 */
export async function alertOwner(parts: Parts, person: Person, stepUp: StepUp): Promise<void> {
  const { settings, store, views, mailer } = parts
  try {
    const place = mailer.reserve()
    if ('reason' in place) return
    const spent = await store.spend({ user: storeKey(settings.keys.current, person.holder), bucket: 'alert', ...A_DAY })
    if (spent.outcome === 'throttled') {
      place.release()
      return
    }
    const own = person.locale ?? ''
    const locale = views.locales.includes(own) ? own : settings.locale
    postMail(parts, place, { view: 'alert', person, stepUp, challenge: null, locale, at: settings.now() })
  } catch (error) {
    const failure = otpError('store_unavailable', 'the alert to the owner could not be sent.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}
