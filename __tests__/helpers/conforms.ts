import { storeConformance } from '../../src/stores/conformance.js'
import type { OtpStore } from '../../src/stores/store.js'

/** The conformance suite on a clock that cannot be moved: all cases at once, since each really waits. */
export function conforms(makeStore: () => Promise<OtpStore>): void {
  const cases = storeConformance(makeStore)
  const ends = new Map<string, unknown>()
  beforeAll(async () => {
    const [first, ...rest] = cases
    const play = async ({ name, run }: (typeof cases)[number]): Promise<void> => {
      try {
        await run()
        ends.set(name, null)
      } catch (error) {
        ends.set(name, error)
      }
    }
    if (first) await play(first) // makes the connection that the others share
    await Promise.all(rest.map(play))
  }, 60_000)

  test.each(cases)('$name', ({ name }) => {
    expect(ends.get(name)).toBeNull()
  })
}
