import { setTimeout as sleep } from 'node:timers/promises'
import { type ConformanceOptions, type StoreCase, storeConformance } from '../../src/store-conformance/index.js'
import type { OtpStore } from '../../src/stores/store.js'

/** Concurrent cases in real time. They mostly wait; with more of them, the races of one would delay the others. */
const CONCURRENT_CASES = 6
/** A case whose own work took longer than this may have failed because the machine was slow: it is run again. */
const SLOW_MS = 300
const MAX_RUNS = 8

type MakeStore = () => OtpStore | Promise<OtpStore>

/**
 * The conformance suite on a clock that `wait` moves: one case after the other, including the long durations. The clock
 * may also run by itself.
 */
export function runConformance(
  makeStore: MakeStore,
  wait: (seconds: number) => Promise<void>,
  options: Pick<ConformanceOptions, 'shared'> = {},
): void {
  test.each(storeConformance(makeStore, { ...options, wait }))('$name', (one) => retryOnSlowMachine(one))
}

/** The conformance suite on a clock that cannot be moved. Cases run concurrently, since each really waits. */
export function runConformanceInRealTime(makeStore: MakeStore, options: Pick<ConformanceOptions, 'shared'> = {}): void {
  const cases = storeConformance(makeStore, options)
  const errors = new Map<string, unknown>()
  beforeAll(async () => {
    const remaining = [...cases]
    const runRemaining = async (): Promise<void> => {
      for (let next = remaining.shift(); next; next = remaining.shift()) {
        errors.set(next.name, await runInRealTime(makeStore, options, next.name))
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT_CASES }, runRemaining))
  }, 120_000)

  test.each(cases)('$name', ({ name }) => {
    expect(errors.get(name)).toBeNull()
  })
}

/** Runs one case with real waits. Resolves with its error, or null. */
async function runInRealTime(makeStore: MakeStore, options: ConformanceOptions, name: string): Promise<unknown> {
  let waited = 0
  const wait = async (seconds: number): Promise<void> => {
    const ms = seconds * 1000 + 20
    await sleep(ms)
    waited += ms
  }
  const found = storeConformance(makeStore, { ...options, wait }).find((other) => other.name === name)
  if (!found) return new Error(`no case ${name}`)
  return retryOnSlowMachine(found, () => waited).then(
    () => null,
    (error: unknown) => error,
  )
}

/**
 * Runs a case again if it failed after more work than its time limits allow, which proves nothing about the store.
 * @param waited milliseconds that the case has waited on purpose so far
 */
async function retryOnSlowMachine({ name, run }: StoreCase, waited = (): number => 0): Promise<void> {
  for (let runs = 1; ; runs++) {
    const startedAt = performance.now() - waited()
    try {
      await run()
      return
    } catch (error) {
      const worked = Math.round(performance.now() - waited() - startedAt)
      if (runs === MAX_RUNS || worked < SLOW_MS) throw error
      console.warn(`SLOW MACHINE: "${name}" failed after ${worked} ms of work; run ${runs + 1} of ${MAX_RUNS} follows.`)
    }
  }
}
