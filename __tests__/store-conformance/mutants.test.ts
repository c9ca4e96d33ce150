import { readdirSync } from 'node:fs'
import path from 'node:path'
import { challenges } from './mutants/challenges.js'
import { clock } from './mutants/clock.js'
import { concurrentOperations } from './mutants/concurrent-operations.js'
import { escalation } from './mutants/escalation.js'
import { extraBuckets } from './mutants/extra-buckets.js'
import { failureAccounting } from './mutants/failure-accounting.js'
import { keyIdentity } from './mutants/key-identity.js'
import { longDurations } from './mutants/long-durations.js'
import { multiProcess } from './mutants/multi-process.js'
import { type Fault, type Mutant, operationsOf } from './mutants/mutant.js'
import { races } from './mutants/races.js'
import { rateLimits } from './mutants/rate-limits.js'
import { storeConformance } from '../../src/store-conformance/index.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import { Clock } from '../helpers/host-app.js'

/** By the file of the cases that must notice them. */
const MUTANTS: Readonly<Record<string, readonly Mutant[]>> = {
  challenges,
  clock,
  'concurrent-operations': concurrentOperations,
  escalation,
  'extra-buckets': extraBuckets,
  'failure-accounting': failureAccounting,
  'key-identity': keyIdentity,
  'long-durations': longDurations,
  'multi-process': multiProcess,
  races,
  'rate-limits': rateLimits,
}

/** Titles of the cases that a store fails. Its processes share one memory. */
async function failedCases(make: Fault): Promise<string[]> {
  const time = new Clock()
  const good = operationsOf(new MemoryStore({ now: time.now }))
  const wait = (seconds: number): Promise<void> => {
    time.tick(seconds)
    return Promise.resolve()
  }
  const failed: string[] = []
  for (const { name, run } of storeConformance(() => ({ ...good, ...make(good, time.now) }), { wait, shared: true })) {
    await run().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'ERR_ASSERTION' })
      failed.push(name)
    })
  }
  return failed
}

test('a store without a fault passes', async () => {
  expect(await failedCases(() => ({}))).toEqual([])
})

test('each file of cases has mutants that it must notice', () => {
  const files = readdirSync(path.join(__dirname, '../../src/store-conformance/cases'))
  expect(Object.keys(MUTANTS).sort()).toEqual(files.map((file) => file.replace(/\.ts$/, '')).sort())
})

/** Each mutant fails the case about its fault, and passes most of the others. */
describe.each(Object.entries(MUTANTS))('the cases of %s notice:', (_file, mutants) => {
  const total = storeConformance(() => new MemoryStore(), { shared: true }).length
  test.each(mutants)('$fault', async ({ noticedBy, make }) => {
    const failed = await failedCases(make)
    expect(failed.filter((name) => name.startsWith(noticedBy))).toHaveLength(1)
    expect(failed.length).toBeLessThan(total / 2)
  })
})
