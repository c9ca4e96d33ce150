import { failedBy } from './faulty-store.js'
import { storeConformance } from '../../src/store-conformance/index.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import type { OtpStore } from '../../src/stores/store.js'

test('a store without a fault passes', async () => {
  expect(await failedBy(() => ({}))).toEqual([])
})

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

test('days are waited for only where the clock can be moved, and two stores made only where they share', () => {
  const names = (options = {}): number => storeConformance(() => new MemoryStore(), options).length
  const wait = (): Promise<void> => Promise.resolve()
  expect([names({ wait }) - names(), names({ shared: true }) - names()]).toEqual([3, 7])
})
