import { storeConformance } from '../../src/store-conformance/index.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import type { OtpStore } from '../../src/stores/store.js'

test('a store is closed after each case, also after one that failed', async () => {
  let open = 0
  const makeStore = (): OtpStore => {
    open += 1
    const store = new MemoryStore()
    return {
      open: () => Promise.reject(new Error('down')),
      redeem: (attempt) => store.redeem(attempt),
      spend: (request) => store.spend(request),
      close: async () => {
        await store.close()
        open -= 1
      },
    }
  }
  for (const { run } of storeConformance(makeStore, { wait: () => Promise.resolve(), shared: true }))
    await run().catch(() => undefined)
  expect(open).toBe(0)
})

test('there are long durations only for a clock that can be moved, and pairs of stores only if they share data', () => {
  const count = (options = {}): number => storeConformance(() => new MemoryStore(), options).length
  const wait = (): Promise<void> => Promise.resolve()
  expect([count({ wait }) - count(), count({ shared: true }) - count()]).toEqual([3, 8])
})
