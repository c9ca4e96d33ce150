import { ManualClock, settled } from '../../helpers/manual-clock.js'
import { ConnectionSlots, type Priority, type SlotOptions } from '../../../src/delivery/queue/connection-slots.js'

let clock: ManualClock
let breakerDelay: number
let isNextMail: boolean
let slots: ConnectionSlots
/** Who has got a connection, in order, and how to return it. */
let started: string[]
const releases = new Map<string, () => void>()

function start(options: Partial<SlotOptions> = {}): void {
  clock = new ManualClock()
  breakerDelay = 0
  isNextMail = false
  started = []
  const connections = options.connections ?? 3
  slots = new ConnectionSlots(
    clock,
    { connections, anonymousConnections: connections, rate: null, ...options },
    { delay: () => breakerDelay, isNextMail: () => isNextMail },
  )
}

/** Asks for a connection. Gives the function that cancels the request. */
function acquire(address: string, priority: Priority = 'anonymous'): () => void {
  const { granted, cancel } = slots.request(address, priority, priority === 'signed-in')
  void granted.then((release) => {
    if (release === null) return
    started.push(address)
    releases.set(address, release)
  })
  return cancel
}

async function release(address: string): Promise<void> {
  releases.get(address)?.()
  await settled()
}

test('at most as many start at once as there are connections, in the order of their requests', async () => {
  start({ connections: 2 })
  for (const address of ['a', 'b', 'c', 'd']) acquire(address)
  await settled()
  expect(started).toEqual(['a', 'b'])
  await release('b')
  await release('a')
  expect(started).toEqual(['a', 'b', 'c', 'd'])
})

test('signed-in users go first, and typed addresses leave a connection to them', async () => {
  start({ connections: 2, anonymousConnections: 1 })
  for (const address of ['a', 'b']) acquire(address)
  await settled()
  expect(started).toEqual(['a'])
  acquire('user1', 'signed-in')
  acquire('user2', 'signed-in')
  await release('a')
  expect(started).toEqual(['a', 'user1', 'user2'])
  await release('user1')
  expect(started.at(-1)).toBe('b')
})

test('an address has one connection at a time, and those behind it in line pass it', async () => {
  start()
  for (const address of ['a', 'a', 'b']) acquire(address)
  await settled()
  expect(started).toEqual(['a', 'b'])
  await release('a')
  expect(started).toEqual(['a', 'b', 'a'])
})

test('a request that is cancelled leaves the line; one that has its connection keeps it', async () => {
  start({ connections: 1 })
  const cancelFirst = acquire('a')
  const cancelSecond = acquire('b')
  acquire('c')
  cancelSecond()
  await settled()
  cancelFirst()
  await settled()
  expect(started).toEqual(['a'])
  await release('a')
  expect(started).toEqual(['a', 'c'])
})

test.each([
  [10, [0, 100, 200, 300]],
  [20, [0, 0, 50, 100]],
  [0.5, [0, 2_000, 4_000, 6_000]],
])('a rate of %p a second lets mails start at %j ms', async (rate, times) => {
  start({ connections: 9, rate })
  const seen: number[] = []
  for (const address of ['a', 'b', 'c', 'd'])
    void slots.request(address, 'anonymous', false).granted.then(() => seen.push(clock.now()))
  await clock.advance(10)
  expect(seen).toEqual(times)
})

test('a pause for "too fast" lasts 30 seconds at most, and can be ended', async () => {
  start()
  slots.throttleUntil(Infinity)
  acquire('a')
  await clock.advance(29.9)
  expect(started).toEqual([])
  await clock.advance(0.1)
  expect(started).toEqual(['a'])
  slots.throttleUntil(clock.now() + 20_000)
  acquire('b')
  await settled()
  slots.throttleUntil(0)
  await settled()
  expect(started).toEqual(['a', 'b'])
})

test('nobody starts while the breaker is open; during a probe whoever makes it wakes the others', async () => {
  start()
  breakerDelay = 15_000
  acquire('a')
  acquire('b', 'signed-in')
  await clock.advance(14)
  expect(started).toEqual([])
  breakerDelay = 0
  await clock.advance(1)
  expect(started).toEqual(['b', 'a'])
  breakerDelay = Infinity
  acquire('c')
  await clock.advance(100)
  expect(started).toHaveLength(2)
  expect(clock.timers).toBe(0)
  breakerDelay = 0
  await release('b')
  expect(started.at(-1)).toBe('c')
})

describe('H18: one domain', () => {
  test('H18: of mail to typed addresses a domain has one connection, and the others pass it', async () => {
    start()
    for (const address of ['a@slow.example', 'b@slow.example', 'c@slow.example', 'd@fast.example']) acquire(address)
    await settled()
    expect(started).toEqual(['a@slow.example', 'd@fast.example'])
    await release('a@slow.example')
    expect(started).toEqual(['a@slow.example', 'd@fast.example', 'b@slow.example'])
  })

  test('H18: mail to signed-in users is not limited by domain, nor does it count for typed addresses', async () => {
    start({ connections: 4 })
    for (const address of ['a@acme.example', 'b@acme.example']) acquire(address, 'signed-in')
    for (const address of ['c@acme.example', 'd@acme.example']) acquire(address)
    await settled()
    expect(started).toEqual(['a@acme.example', 'b@acme.example', 'c@acme.example'])
  })
})
