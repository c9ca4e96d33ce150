import { setImmediate as turn } from 'node:timers/promises'
import { ExpiringMap } from '../../../src/stores/memory/expiring-map.js'

const mapOf = (capacity: number) => new ExpiringMap<number>(capacity, (expiresAt) => expiresAt)

/** Turns of the event loop, in which batches of a sweep run. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

test('the room of an entry that expired behind thousands of others is found within a few turns', async () => {
  const map = mapOf(20_000)
  for (let i = 0; i < 20_000; i++) map.set(`${i}`, i < 19_999 ? 9_000 : 1_000)
  const ensure = () => {
    map.ensureCapacity(1_999, false, 'new')
  }
  expect(ensure).toThrow('full: 20000 live entries')
  await turns(12)
  expect(ensure).not.toThrow()
})

test('each request searches a full map a little, and all of it is searched once a second', async () => {
  let examined = 0
  const map = new ExpiringMap<number>(20_000, (expiresAt) => ((examined += 1), expiresAt))
  for (let i = 0; i < 20_000; i++) map.set(`${i}`, 9_000)
  for (let requests = 0; requests < 10; requests++) {
    examined = 0
    expect(() => {
      map.ensureCapacity(500, false, 'new')
    }).toThrow('full')
    expect(examined).toBeLessThanOrEqual(4_000)
  }
  examined = 0
  await turns(20)
  expect(examined).toBeLessThanOrEqual(20_000)
})

test('only new keys need room, and all of them do', () => {
  const map = mapOf(3)
  map.set('a', 10)
  map.set('b', 10)
  expect(() => {
    map.ensureCapacity(0, false, 'a', 'c')
  }).not.toThrow()
  expect(() => {
    map.ensureCapacity(0, false, 'c', 'd')
  }).toThrow('full')
  expect(map.get('a', 0)).toBe(10)
})

test('an expired entry is not returned', () => {
  const map = mapOf(1)
  map.set('a', 10)
  expect([map.get('a', 9), map.get('a', 10), map.get('b', 0)]).toEqual([10, undefined, undefined])
})

test('a sweep removes all expired entries in batches, and keeps the live ones', async () => {
  const map = mapOf(10_000)
  for (let i = 0; i < 10_000; i++) map.set(`${i}`, i % 2 === 0 ? 10 : 20)
  map.sweep(() => 10)
  await turns(10)
  // At time 0 all entries would be live, so the missing ones were removed.
  const left = Array.from({ length: 10_000 }, (_, i) => map.get(`${i}`, 0)).filter((entry) => entry !== undefined)
  expect(left).toEqual(Array<number>(5_000).fill(20))
})

test('entries that are added and removed between sweeps are swept too', async () => {
  const map = mapOf(100_000)
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 5_000; i++) map.set(`${round} ${i}`, round + 1)
    for (let i = 0; i < 5_000; i += 2) map.delete(`${round} ${i}`)
    map.sweep(() => round)
    await turns(2)
  }
  map.sweep(() => 20)
  await turns(30)
  const left = Array.from({ length: 100_000 }, (_, i) => map.get(`${Math.floor(i / 5_000)} ${i % 5_000}`, 0))
  expect(left.filter((entry) => entry !== undefined)).toEqual([])
})
