import { setTimeout as sleep } from 'node:timers/promises'
import { challenges } from './cases/challenges.js'
import { time } from './cases/clock.js'
import { beside } from './cases/concurrent-operations.js'
import { failures } from './cases/escalation.js'
import { charges } from './cases/failure-accounting.js'
import { names } from './cases/key-identity.js'
import { days } from './cases/long-durations.js'
import { processes } from './cases/multi-process.js'
import { races } from './cases/races.js'
import { limits } from './cases/rate-limits.js'
import { Scene } from './harness.js'
import type { OtpStore } from '../stores/store.js'

/** One thing that a store must do. */
export interface StoreCase {
  /** A sentence. */
  readonly name: string
  /** Rejects with an AssertionError when the store breaks the sentence. */
  readonly run: () => Promise<void>
}

export interface ConformanceOptions {
  /**
   * Lets seconds, and parts of one, go by for the store, which must have seen them when this resolves. Really waits by
   * default, for half a minute in all. Given one, the suite takes the clock for one that can be moved, and also waits
   * for minutes and days: then play one case after the other where they share a clock.
   */
  wait?: (seconds: number) => Promise<void>
  /**
   * Stores that `makeStore` gives see the same challenges, as processes at one database do: false by default. Adds the
   * cases of two stores, which every store of more than one process must pass.
   */
  shared?: boolean
}

/**
 * What every store must do, ours and other people's, as plain async cases for any test runner. Each case makes a store
 * of its own and closes it; all of them may work on one database, and on one that earlier runs have used.
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
  { wait, shared = false }: ConformanceOptions = {},
): StoreCase[] {
  const pass = wait ?? reallyWait
  const atStore = async (act: (store: OtpStore) => Promise<void>): Promise<void> => {
    const store = await makeStore()
    try {
      await act(store)
    } finally {
      await store.close?.()
    }
  }
  const waiting = wait ? days : {}
  const all = { ...challenges, ...names, ...limits, ...time, ...failures, ...charges, ...races, ...beside, ...waiting }
  const alone = Object.entries(all).map(([name, play]) => ({
    name,
    run: () => atStore((store) => play(new Scene(store, pass))),
  }))
  const together = Object.entries(shared ? processes : {}).map(([name, play]) => ({
    name,
    run: () =>
      atStore((store) =>
        atStore((second) => {
          const here = new Scene(store, pass)
          return play(here, here.at(second))
        }),
      ),
  }))
  return [...alone, ...together]
}

// A little more: timers may ring a millisecond early.
async function reallyWait(seconds: number): Promise<void> {
  await sleep(seconds * 1000 + 20)
}
