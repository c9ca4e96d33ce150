import { Gate } from '../../helpers/gate.js'
import { settled } from '../../helpers/manual-clock.js'
import { QueueDriver } from '../../helpers/queue-driver.js'
import { CheckedTransport, FakeTransport, REFUSED_CONNECTION, smtpError } from '../../helpers/send-queue.js'

const USERS = { hasUsers: true }

/** A queue half-open in an outage that goes on, with nothing in it. */
async function halfOpen<T extends FakeTransport>(transport: T, options = USERS): Promise<Queue<T>> {
  const driver = new QueueDriver(transport, options)
  await driver.outage(REFUSED_CONNECTION)
  if (transport instanceof CheckedTransport) transport.checkError = REFUSED_CONNECTION
  await driver.clock.advance(15)
  expect(driver.queue.health().breaker).toBe('half-open')
  transport.attempts.length = 0
  return { driver, transport, clock: driver.clock, queue: driver.queue }
}

interface Queue<T> {
  readonly driver: QueueDriver
  readonly transport: T
  readonly clock: QueueDriver['clock']
  readonly queue: QueueDriver['queue']
}

describe('a transport that can check the connection', () => {
  test('S5: the probe is a check, and no mail is sent until one succeeds', async () => {
    const { driver, transport, clock, queue } = await halfOpen(new CheckedTransport())
    driver.mail('a@a.example', 'anonymous', { firstAttemptUntil: Infinity })
    const waits: number[] = []
    for (let checks = 1; checks <= 3; checks++) {
      await settled()
      expect(transport.checks).toBe(checks)
      waits.push(queue.health().retryAfter)
      await clock.advance(queue.health().retryAfter)
    }
    expect(waits).toEqual([60, 900, 900])
    expect(transport.attempts).toEqual([])
  })

  test('a check that succeeds lets all mail flow', async () => {
    const { driver, transport, queue } = await halfOpen(new CheckedTransport())
    transport.error = transport.checkError = null
    driver.mail('a@a.example')
    driver.mail('user@b.example', 'signed-in')
    await driver.until(() => queue.health().queue === 0)
    expect(transport.checks).toBe(1)
    expect(transport.attempts.sort()).toEqual(['a@a.example', 'user@b.example'])
    expect(queue.health()).toMatchObject({ breaker: 'closed', retryAfter: 0 })
  })

  test('many mails at once make one check, and none is made when nothing waits', async () => {
    const { driver, transport, clock } = await halfOpen(new CheckedTransport())
    await clock.advance(600)
    expect(transport.checks).toBe(0)
    const gate = (transport.checkGate = new Gate())
    for (let i = 0; i < 50; i++) driver.mail(`p@${i}.example`, i % 2 ? 'signed-in' : 'anonymous')
    await clock.advance(5)
    expect([transport.checks, transport.attempts]).toEqual([1, []])
    gate.open()
    await settled()
    expect(transport.checks).toBe(1)
  })

  test('a mail that waits when the pause ends is reason enough for a check', async () => {
    const transport = new CheckedTransport()
    const driver = new QueueDriver(transport, USERS)
    await driver.outage(REFUSED_CONNECTION)
    driver.mail('a@a.example')
    await driver.clock.advance(14)
    expect(transport.checks).toBe(0)
    transport.error = null
    await driver.clock.advance(1)
    await driver.until(() => driver.queue.health().queue === 0)
    expect([transport.checks, transport.attempts.at(-1)]).toEqual([1, 'a@a.example'])
  })

  test('a check that hangs is given up after twenty seconds', async () => {
    const { driver, transport, clock, queue } = await halfOpen(new CheckedTransport())
    transport.checkGate = new Gate()
    driver.mail('a@a.example')
    await clock.advance(19)
    expect(queue.health().breaker).toBe('half-open')
    await clock.advance(1)
    expect(queue.health()).toMatchObject({ breaker: 'open', retryAfter: 60, lastError: 'aborted' })
  })

  test('a check that succeeds while mails still fail makes the next pause longer, until a mail goes out', async () => {
    const { driver, transport, clock, queue } = await halfOpen(new CheckedTransport())
    transport.error = smtpError('530 5.7.0 log in', 'MAIL FROM')
    transport.checkError = null
    driver.mail('user@b.example', 'signed-in')
    await settled()
    expect(queue.health()).toMatchObject({ breaker: 'open', retryAfter: 60, lastError: 'auth' })
    transport.error = null
    await clock.advance(60)
    driver.mail('user@c.example', 'signed-in')
    await driver.until(() => queue.health().queue === 0)
    await driver.outage(REFUSED_CONNECTION)
    expect(queue.health().retryAfter).toBe(15)
  })

  test('closing the queue ends a check under way and reports nothing of it', async () => {
    const { driver, transport, clock, queue } = await halfOpen(new CheckedTransport())
    const gate = (transport.checkGate = new Gate())
    driver.mail('a@a.example')
    const closing = queue.close()
    await clock.advance(10)
    await closing
    const health = queue.health()
    gate.open()
    await settled()
    expect(queue.health()).toEqual(health)
    expect(transport.attempts).toEqual([])
  })
})

describe('a transport that cannot', () => {
  class Unchecked extends CheckedTransport {
    override checkError = false as const
  }

  test.each([
    ['has no verify()', () => new FakeTransport()],
    ['has one that returns false, as nodemailer does for it', () => new Unchecked()],
  ])('S5: one that %s leaves the probe to a mail to a signed-in user; typed mail waits', async (_what, make) => {
    const transport = make()
    const driver = new QueueDriver(transport, USERS)
    await driver.outage(REFUSED_CONNECTION)
    await driver.clock.advance(15)
    transport.attempts.length = 0
    transport.error = null
    driver.mail('a@a.example')
    driver.decoy('b@b.example')
    await driver.clock.advance(100)
    expect(transport.attempts).toEqual([])
    expect(driver.queue.health()).toMatchObject({ queue: 2, breaker: 'half-open' })
    driver.mail('user@c.example', 'signed-in')
    await driver.until(() => driver.queue.health().queue === 0)
    expect(transport.attempts).toEqual(['user@c.example', 'a@a.example'])
  })

  test('S5: without signed-in users a typed mail is the probe, and a decoy never', async () => {
    const { driver, transport, clock, queue } = await halfOpen(new FakeTransport(), { hasUsers: false })
    driver.decoy('b@b.example')
    await clock.advance(100)
    expect(queue.health()).toMatchObject({ queue: 1, breaker: 'half-open' })
    transport.error = null
    driver.mail('a@a.example')
    await driver.until(() => queue.health().queue === 0)
    expect(transport.attempts).toEqual(['a@a.example'])
  })

  test('a job to a typed address is a probe too: its own queue holds no decoys', async () => {
    const { transport, queue } = await halfOpen(new FakeTransport())
    transport.error = null
    const job = { message: { to: { name: '', address: 'a@a.example' } }, address: 'a@a.example', secrets: [] }
    expect(await queue.sendJob(job, 'anonymous', 1e9)).toMatchObject({ result: { outcome: 'accepted' } })
  })
})
