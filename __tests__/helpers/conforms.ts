import { setTimeout as sleep } from 'node:timers/promises'
import { type ConformanceOptions, storeConformance } from '../../src/store-conformance/index.js'
import type { OtpStore } from '../../src/stores/store.js'

/** Cases at a time: each mostly waits, and too many of them would wait for each other's races. */
const AT_ONCE = 12
/** Less than what any case leaves to the end of a second, and how often one is played that may have missed it. */
const SLACK_MS = 300
const TIMES = 5

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
      if (next) ends.set(next.name, await inRealTime(makeStore, options, next.name).then(noError, itself))
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

/**
 * The conformance suite on a clock that `wait` moves: one case after the other, also those of hours and days. Such a
 * clock may run by itself as well.
 */
export function conformsOnMovedClock(
  makeStore: MakeStore,
  wait: (seconds: number) => Promise<void>,
  options: Pick<ConformanceOptions, 'shared'> = {},
): void {
  test.each(storeConformance(makeStore, { ...options, wait }))('$name', ({ run }) => unlessHeldUp(run))
}

/** Plays one case, which tells how many milliseconds of its time were wanted. Held up, it says nothing of the store. */
async function unlessHeldUp(run: () => Promise<void>, wanted = (): number => 0): Promise<void> {
  for (let time = 1; ; time++) {
    const began = performance.now() - wanted()
    try {
      await run()
      return
    } catch (error) {
      if (time === TIMES || performance.now() - wanted() - began < SLACK_MS) throw error
    }
  }
}

/** Plays one case that really waits. */
async function inRealTime(makeStore: MakeStore, options: ConformanceOptions, name: string): Promise<void> {
  let waited = 0
  const wait = async (seconds: number): Promise<void> => {
    const ms = seconds * 1000 + 20
    await sleep(ms)
    waited += ms
  }
  const cases = storeConformance(makeStore, { ...options, wait })
  const one = cases.find((other) => other.name === name)
  if (one) await unlessHeldUp(one.run, () => waited)
  else throw new Error(`no case ${name}`)
}
