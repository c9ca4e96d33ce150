import { eventContext } from '../challenge/event-context.js'
import type { StepUp } from '../challenge/step-up.js'
import { storeKey } from '../challenge/store-key.js'
import { dispatchMail } from './dispatch.js'
import type { PrepareDeps } from './prepare-mail.js'
import type { SendQueue } from './queue/send-queue.js'
import { wrapError } from '../errors.js'
import type { Identity } from '../identity/user.js'
import type { OtpStore } from '../stores/store.js'
import { matchLocale } from '../views/locales.js'

export interface OwnerAlertDeps extends PrepareDeps {
  readonly store: OtpStore
  readonly sendQueue: Pick<SendQueue, 'reserve'>
}

const ONE_PER_DAY = { capacity: 1, refill: 86_400 }

/**
 * Warns a user by mail when wrong codes typed under their sign-in have emptied `failures`: somebody may know the password.
 * At most once a day over all processes, in the user's language and not the browser's. No request waits for it; failures
 * are events.
 */
export async function alertOwner(deps: OwnerAlertDeps, identity: Identity, stepUp: StepUp): Promise<void> {
  const { settings, events, sendQueue } = deps
  // Queued even while the breaker is open; otherwise an attacker could suppress it by causing an outage.
  const reservation = sendQueue.reserve('signed-in', { canWaitForOutage: true })
  if (reservation.outcome === 'rejected') {
    events.publish({ type: 'refused', ...eventContext(identity, stepUp, null), outcome: `mail_${reservation.reason}` })
    return
  }
  await reservation.use(async () => {
    try {
      if (!(await takeAlertPermit(deps, identity, 1))) return
      const [locale, at] = [identityLocale(deps, identity), settings.now()]
      void dispatchMail(
        deps,
        reservation,
        { type: 'alert', identity, stepUp, challenge: null, locale, at },
        (update) => {
          if (update?.retryInMs !== null || update.result.outcome === 'accepted') return
          void takeAlertPermit(deps, identity, -1).catch((error: unknown) => {
            publishAlertFailure(deps, error)
          })
        },
      )
    } catch (error) {
      publishAlertFailure(deps, error)
    }
  })
}

/** Takes the permit for the one alert of a day, or refunds it. */
async function takeAlertPermit(
  { settings, store }: OwnerAlertDeps,
  identity: Identity,
  permits: 1 | -1,
): Promise<boolean> {
  const user = storeKey(settings.keys.current, identity.ref)
  const permitsOption = permits === 1 ? {} : { permits }
  return (await store.spend({ user, bucket: 'alert', ...permitsOption, ...ONE_PER_DAY })).outcome === 'spent'
}

function identityLocale({ settings, views }: OwnerAlertDeps, { locale }: Identity): string {
  return matchLocale(views.locales, locale ?? '') ?? settings.locale
}

function publishAlertFailure({ events }: OwnerAlertDeps, error: unknown): void {
  const failure = wrapError('store_unavailable', 'the alert to the owner could not be sent.', error)
  events.publish({ type: 'failed', outcome: failure.code, error: failure })
}
