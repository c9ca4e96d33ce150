import type { ChallengeDeps } from '../challenge/challenge.js'
import { storeKey } from '../challenge/store-key.js'
import { wrapError } from '../errors.js'
import type { Identity } from '../identity/user.js'
import type { ExtraBucket } from '../stores/store.js'

/** Refunds per user at once: enough for an outage of an hour. */
const MAX_REFUNDS = 20

/**
 * Refunds the send of a failed mail, and the wait until the next one. Limited: otherwise a mailbox that refuses everything
 * would allow any number of challenges. Never throws: a failed refund is an event.
 */
export async function refundSend(
  { settings, store, events }: ChallengeDeps,
  { identity, challenge }: { readonly identity: Identity; readonly challenge: { readonly id: string } },
  extraBuckets: readonly ExtraBucket[] = [],
): Promise<void> {
  const user = storeKey(settings.keys.current, identity.ref)
  const { sendsPerUser, resend } = settings.limits
  try {
    const allowance = await store.spend({ user, bucket: 'refunds', capacity: MAX_REFUNDS, refill: sendsPerUser.refill })
    if (allowance.outcome === 'throttled') return
    await Promise.all([
      store.spend({ user, bucket: 'sends', permits: -1, ...sendsPerUser }),
      store.spend({ user, bucket: `resend:${challenge.id}`, permits: -1, ...resend }),
      ...extraBuckets.map(({ bucket, capacity, refill }) =>
        store.spend({ user, bucket, permits: -1, capacity, refill }),
      ),
    ])
  } catch (error) {
    const failure = wrapError('store_unavailable', 'a send could not be refunded.', error)
    events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}
