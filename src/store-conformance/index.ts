import { setTimeout as sleep } from 'node:timers/promises'
import { challenges } from './cases/challenges.js'
import { clock } from './cases/clock.js'
import { concurrentOperations } from './cases/concurrent-operations.js'
import { escalation } from './cases/escalation.js'
import { extraBuckets } from './cases/extra-buckets.js'
import { failureAccounting } from './cases/failure-accounting.js'
import { keyIdentity } from './cases/key-identity.js'
import { longDurations } from './cases/long-durations.js'
import { multiProcess } from './cases/multi-process.js'
import { races } from './cases/races.js'
import { rateLimits } from './cases/rate-limits.js'
import { StoreHarness } from './harness.js'
import type { OtpStore } from '../stores/store.js'

/** One requirement for stores. */
export interface StoreCase {
  /** The requirement, as a sentence. */
  readonly name: string
  /** Rejects with an AssertionError if the store does not meet it. */
  readonly run: () => Promise<void>
}

export interface ConformanceOptions {
  /**
   * Lets time pass for the store, in seconds and fractions; the store's clock must have moved when it resolves. By
   * default the cases really wait, half a minute in all. With this option there are also cases about minutes and days.
   * Run the cases one after the other if they share a clock.
   */
  wait?: (seconds: number) => Promise<void>
  /**
   * Whether all stores from `makeStore` use one database, as several processes do; false by default. Adds cases with two
   * stores, which every store for more than one process must pass.
   */
  shared?: boolean
}

/**
 * The requirements for every store, as plain async cases for any test runner. Each case makes a store and closes it. All
 * cases can use one database, which may contain data of earlier runs.
 * @example
 * ```ts
 * import test from 'node:test'
 * import { storeConformance } from 'express-email-otp/store-conformance'
 *
 * for (const { name, run } of storeConformance(() => new MyStore(client))) test(name, run)
 * ```
 */
export function storeConformance(
  makeStore: () => OtpStore | Promise<OtpStore>,
  { wait = reallyWait, shared = false }: ConformanceOptions = {},
): StoreCase[] {
  const withStore = async (use: (store: OtpStore) => Promise<void>): Promise<void> => {
    const store = await makeStore()
    try {
      await use(store)
    } finally {
      await store.close?.()
    }
  }
  const longCases = wait === reallyWait ? {} : longDurations
  const single = {
    ...challenges,
    ...keyIdentity,
    ...rateLimits,
    ...extraBuckets,
    ...clock,
    ...escalation,
    ...failureAccounting,
    ...races,
    ...concurrentOperations,
    ...longCases,
  }
  const singleCases = Object.entries(single).map(([name, run]) => ({
    name,
    run: () => withStore((store) => run(new StoreHarness(store, wait))),
  }))
  const sharedCases = Object.entries(shared ? multiProcess : {}).map(([name, run]) => ({
    name,
    run: () =>
      withStore((store) =>
        withStore((other) => {
          const first = new StoreHarness(store, wait)
          return run(first, first.at(other))
        }),
      ),
  }))
  return [...singleCases, ...sharedCases]
}

// A little longer: timers can fire a millisecond early.
async function reallyWait(seconds: number): Promise<void> {
  await sleep(seconds * 1000 + 20)
}
