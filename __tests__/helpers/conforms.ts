import { type ConformanceOptions, storeConformance } from '../../src/stores/conformance.js'
import type { OtpStore } from '../../src/stores/store.js'

/** Cases at a time: each mostly waits, and too many of them would wait for each other's races. */
const AT_ONCE = 12

type MakeStore = () => OtpStore | Promise<OtpStore>

/**
 * The conformance suite on a clock that cannot be moved: many cases at once, since each really waits. `shared` where
 * all stores that `makeStore` gives are at one database.
 */
export function conforms(makeStore: MakeStore, options: Pick<ConformanceOptions, 'shared'> = {}): void {
  const cases = storeConformance(makeStore, options)
  const ends = new Map<string, unknown>()
  beforeAll(async () => {
    const waiting = [...cases]
    const playNext = async (): Promise<void> => {
      const next = waiting.shift()
      if (next) ends.set(next.name, await next.run().then(noError, itself))
    }
    const playRest = async (): Promise<void> => {
      while (waiting.length > 0) await playNext()
    }
    await playNext() // makes the connection that the others share
    await Promise.all(Array.from({ length: AT_ONCE }, playRest))
  }, 60_000)

  test.each(cases)('$name', ({ name }) => {
    expect(ends.get(name)).toBeNull()
  })
}

const noError = (): null => null
const itself = (error: unknown): unknown => error

/** The conformance suite on a clock that `wait` moves: one case after the other, also those of hours and days. */
export function conformsOnMovedClock(
  makeStore: MakeStore,
  wait: (seconds: number) => Promise<void>,
  options: Pick<ConformanceOptions, 'shared'> = {},
): void {
  test.each(storeConformance(makeStore, { ...options, wait }))('$name', ({ run }) => run())
}
