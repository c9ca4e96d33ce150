import { storeKey } from '../challenge/store-key.js'
import { wrapError } from '../errors.js'
import type { CodeMailRequest } from '../mail/mail-request.js'
import type { Services } from '../services.js'

const MAX_REFUNDS = 20

/**
 * A mail failed, so its send costs nothing: neither the daily one nor the pause until the next. Itself limited: else a
 * mailbox that refuses everything would be a way to open challenges without end. Never throws: what cannot be given back
 * stays spent, and the events say so.
 */
export async function refundSend(
  { settings, store, events }: Services,
  { identity, challenge }: Pick<CodeMailRequest, 'identity' | 'challenge'>,
): Promise<void> {
  const user = storeKey(settings.keys.current, identity.ref)
  const { sendsPerUser, resend } = settings.limits
  try {
    const allowance = await store.spend({ user, bucket: 'refunds', capacity: MAX_REFUNDS, refill: sendsPerUser.refill })
    if (allowance.outcome === 'throttled') return
    await Promise.all([
      store.spend({ user, bucket: 'sends', permits: -1, ...sendsPerUser }),
      store.spend({ user, bucket: `resend:${challenge.id}`, permits: -1, ...resend }),
    ])
  } catch (error) {
    const failure = wrapError('store_unavailable', 'a send could not be given back.', error)
    events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}
