import { Gate } from '../../helpers/gate.js'
import { ManualClock, settled } from '../../helpers/manual-clock.js'
import { QueueDriver } from '../../helpers/queue-driver.js'
import { CheckedTransport, FakeTransport, REFUSED_CONNECTION } from '../../helpers/send-queue.js'
import { DelayedStarts } from '../../../src/delivery/queue/delayed-starts.js'

const USED = { outcome: 'cancelled', reason: 'used' } as const
const TOOK_MS = 60

/** A queue with one connection, at which a mail took a while. */
async function busy(): Promise<QueueDriver> {
  const driver = new QueueDriver(new FakeTransport(1))
  const gate = (driver.transport.gate = new Gate())
  driver.mail('first@a.example')
  await new Promise((resolve) => setTimeout(resolve, TOOK_MS))
  gate.open()
  await driver.until(() => driver.updates.length === 1)
  driver.transport.gate = null
  return driver
}

describe('a decoy', () => {
  test('S5: takes a permit of `mail.rate` as a mail does', async () => {
    const driver = new QueueDriver(new FakeTransport(), {}, 10)
    for (let i = 0; i < 3; i++) driver.decoy(`d@${i}.example`)
    driver.mail('a@a.example')
    await driver.clock.advance(0.29)
    expect(driver.transport.attempts).toEqual([])
    await driver.clock.advance(0.02)
    expect(driver.transport.attempts).toEqual(['a@a.example'])
  })

  test('S5: takes a place in the queue', () => {
    const driver = new QueueDriver(new FakeTransport())
    for (let i = 0; i < 500; i++) driver.decoy(`d@${i}.example`)
    expect(driver.queue.reserve('anonymous')).toMatchObject({ reason: 'queue_full' })
    expect(driver.queue.health().queue).toBe(500)
  })

  test('S5: keeps its connection for as long as a recent mail did', async () => {
    const driver = await busy()
    driver.decoy('d@d.example')
    driver.mail('next@b.example')
    await driver.clock.advance((TOOK_MS - 10) / 1000)
    expect(driver.transport.attempts).toEqual(['first@a.example'])
    await driver.clock.advance(10)
    await driver.until(() => driver.updates.length === 2)
    expect(driver.transport.attempts).toEqual(['first@a.example', 'next@b.example'])
  })

  test('S5: keeps none before any mail was tried', async () => {
    const driver = new QueueDriver(new FakeTransport(1))
    driver.decoy('d@d.example')
    driver.mail('next@b.example')
    await driver.clock.advance(0)
    await driver.until(() => driver.updates.length === 1)
    expect(driver.queue.health().queue).toBe(0)
  })

  test('S5: has the one connection of its domain, though it goes nowhere', async () => {
    const driver = new QueueDriver(new FakeTransport(3))
    const gate = (driver.transport.gate = new Gate())
    driver.mail('a@a.example')
    await settled()
    driver.decoy('d@a.example')
    driver.mail('b@a.example')
    gate.open()
    await driver.clock.advance(10)
    await driver.until(() => driver.updates.length === 2)
    expect(driver.transport.mostInFlight).toBe(1)
  })

  test('S5: is cancelled, expires and ends with the queue as a mail does, and tells nobody', async () => {
    const driver = await busy()
    const told: unknown[] = []
    const onUpdate = (update: unknown): void => void told.push(update)
    const gate = (driver.transport.gate = new Gate())
    driver.mail('slow@a.example')
    await settled()
    for (const how of ['cancelled', 'late', 'open']) {
      const firstAttemptUntil = driver.clock.now() + (how === 'late' ? 1_000 : 300_000)
      driver.decoy(`${how}@d.example`, { firstAttemptUntil })
      driver.mail(`${how}@m.example`, 'anonymous', { onUpdate, firstAttemptUntil })
    }
    expect(driver.queue.cancel('cancelled@d.example', USED)).toBe(driver.queue.cancel('cancelled@m.example', USED))
    await driver.clock.advance(2)
    expect(told).toHaveLength(2)
    expect(driver.queue.health().queue).toBe(3) // the slow one, and a decoy and a mail that wait
    gate.open()
    await driver.queue.close() // which waits for no decoy
    expect(told).toHaveLength(3)
    expect(driver.queue.health()).toMatchObject({ queue: 0, lastError: null })
    expect(driver.transport.attempts.filter((address) => address.endsWith('@d.example'))).toEqual([])
  })

  test('S5: never counts for the breaker', async () => {
    const driver = new QueueDriver(new FakeTransport(), { hasUsers: true })
    driver.transport.error = REFUSED_CONNECTION
    for (let i = 0; i < 4; i++) driver.mail(`u@${i}.example`, 'signed-in', { retryUntil: 0 })
    for (let i = 0; i < 50; i++) driver.decoy(`d@${i}.example`)
    await driver.clock.advance(1)
    await driver.until(() => driver.queue.health().queue === 0)
    expect(driver.queue.health().breaker).toBe('closed')
    driver.mail('u@5.example', 'signed-in', { retryUntil: 0 }) // the fifth failure: the decoys reset nothing
    await settled()
    expect(driver.queue.health().breaker).toBe('open')
  })
})

test('S5: after an outage that goes on, 200 probes end the same for an address that is mailed and one that is not', async () => {
  const ends = { mail: new Set<string>(), decoy: new Set<string>() }
  for (let i = 0; i < 200; i++) {
    const transport = new CheckedTransport()
    const driver = new QueueDriver(transport, { hasUsers: true })
    await driver.outage(REFUSED_CONNECTION)
    transport.checkError = i % 4 < 2 ? REFUSED_CONNECTION : null // the server may be back
    await driver.clock.advance(15)
    const kind = i % 2 ? 'mail' : 'decoy'
    if (kind === 'mail') driver.mail('ana@example.com')
    else driver.decoy('ana@example.com')
    await settled()
    const { breaker, retryAfter } = driver.queue.health()
    ends[kind].add(`${breaker} ${retryAfter} ${transport.checks}`)
  }
  expect([...ends.mail]).toEqual(['open 60 1', 'closed 0 1'])
  expect([...ends.decoy].sort()).toEqual([...ends.mail].sort())
})

describe('the start of typed mail', () => {
  test('S5: mail and decoy start at a random moment within two seconds', async () => {
    const clock = new ManualClock()
    const delayed = new DelayedStarts(clock)
    const startedAt: number[] = []
    for (let i = 0; i < 1_000; i++) delayed.add(`c${i}`, () => startedAt.push(clock.now()))
    await settled()
    expect(startedAt).toEqual([])
    await clock.advance(2)
    expect(startedAt).toHaveLength(1_000)
    for (const quarter of [0, 1, 2, 3]) {
      const inQuarter = startedAt.filter((at) => at >= quarter * 500 && at < (quarter + 1) * 500 + 1)
      expect(inQuarter.length).toBeGreaterThan(170) // of 250; 5.8 standard deviations
      expect(inQuarter.length).toBeLessThan(330)
    }
    expect([delayed.size, clock.timers]).toEqual([0, 0])
  })

  test('S5: those of one challenge, or all, can start at once, and each starts once', async () => {
    const clock = new ManualClock()
    const delayed = new DelayedStarts(clock)
    const started: string[] = []
    for (const id of ['a', 'b', 'c']) delayed.add(id, () => started.push(id))
    void delayed.startNow('b')
    expect(started).toEqual(['b'])
    await delayed.startNow()
    await clock.advance(3)
    expect(started).toEqual(['b', 'a', 'c'])
  })
})
