import { eventContext } from '../challenge/event-context.js'
import type { StepUp } from '../challenge/step-up.js'
import { storeKey } from '../challenge/store-key.js'
import { dispatchMail } from './dispatch.js'
import { wrapError } from '../errors.js'
import type { Identity } from '../identity/user.js'
import type { Services } from '../services.js'
import { matchLocale } from '../views/locale.js'

const ONE_PER_DAY = { capacity: 1, refill: 86_400 }

/**
 * Tells the owner that ten wrong codes were typed in a session that had passed the first step: whoever it was knows the
 * password. At most once a day, over all processes. In the language of the owner, not of whoever typed.
 * Nobody waits for it, and what goes wrong is told to the events alone.
 */
export async function alertOwner(services: Services, identity: Identity, stepUp: StepUp): Promise<void> {
  const { settings, events, sendQueue } = services
  // Patient: who knows how to keep the mail server away must not keep the alert away.
  const place = sendQueue.reserve('signed-in', { canWaitForOutage: true })
  if (place.outcome === 'rejected') {
    events.publish({ type: 'refused', ...eventContext(identity, stepUp, null), outcome: `mail_${place.reason}` })
    return
  }
  try {
    if (!(await takeAlertPermit(services, identity, 1))) return
    const [locale, at] = [identityLocale(services, identity), settings.now()]
    dispatchMail(services, place, { type: 'alert', identity, stepUp, challenge: null, locale, at }, (update) => {
      const isUndelivered = update !== null && update.again === null && update.delivery.outcome !== 'accepted'
      if (isUndelivered)
        void takeAlertPermit(services, identity, -1).catch((error: unknown) => publishAlertFailure(services, error))
    })
  } catch (error) {
    publishAlertFailure(services, error)
  } finally {
    place.release()
  }
}

/** Takes the one alert of a day, or gives it back. */
async function takeAlertPermit({ settings, store }: Services, identity: Identity, permits: 1 | -1): Promise<boolean> {
  const user = storeKey(settings.keys.current, identity.ref)
  const permitsOption = permits === 1 ? {} : { permits }
  return (await store.spend({ user, bucket: 'alert', ...permitsOption, ...ONE_PER_DAY })).outcome === 'spent'
}

function identityLocale({ settings, views }: Services, { locale }: Identity): string {
  return matchLocale(views.locales, locale ?? '') ?? settings.locale
}

function publishAlertFailure({ events }: Services, error: unknown): void {
  const failure = wrapError('store_unavailable', 'the alert to the owner could not be sent.', error)
  events.publish({ type: 'failed', outcome: failure.code, error: failure })
}
