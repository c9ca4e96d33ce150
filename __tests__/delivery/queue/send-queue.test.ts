import { Gate } from '../../helpers/gate.js'
import { ManualClock, settled } from '../../helpers/manual-clock.js'
import { FakeTransport, queueOf, REFUSED_CONNECTION, sendOnce, smtpError } from '../../helpers/send-queue.js'
import { ScriptedSmtp } from '../../helpers/smtp-script.js'
import type { Priority } from '../../../src/delivery/queue/connection-slots.js'
import type { DeliveryUpdate, QueuedMail } from '../../../src/delivery/queue/queued-mail.js'
import type { Reservation } from '../../../src/delivery/queue/reservation.js'
import { BREAKER_OPEN, type SendQueue, type SendQueueOptions } from '../../../src/delivery/queue/send-queue.js'
import { localFailure } from '../../../src/delivery/smtp/classify.js'
import type { OutgoingMessage } from '../../../src/delivery/smtp/send-once.js'

const USED = { outcome: 'cancelled', reason: 'used' } as const
const BUSY = smtpError('450 4.2.1 busy')

let clock: ManualClock
let transport: FakeTransport
let queue: SendQueue
let updates: (DeliveryUpdate & { of: string })[]
beforeEach(() => {
  clock = new ManualClock()
  updates = []
  start(new FakeTransport())
})

function start(fake: FakeTransport, options: SendQueueOptions = {}, rate?: number): void {
  transport = fake
  queue = queueOf({ transport, ...(rate !== undefined && { rate }) }, clock, options)
}

function reserve(priority: Priority = 'anonymous'): Reservation {
  const reservation = queue.reserve(priority)
  if (reservation.outcome === 'rejected') throw new Error(reservation.reason)
  return reservation
}

function messageOf(of: string): OutgoingMessage {
  const address = of.includes('@') ? of : `${of}@example.com`
  const message = { from: 'no-reply@acme.example', to: { name: '', address }, subject: of, text: `for ${of}` }
  return { message, address, secrets: [] }
}

function mailOf(of: string, more: Partial<QueuedMail> = {}): QueuedMail {
  const composed = messageOf(of)
  return {
    compose: () => Promise.resolve(composed),
    address: composed.address,
    challengeId: of,
    firstAttemptUntil: clock.now() + 305_000,
    retryUntil: clock.now() + 305_000,
    onUpdate: (update) => void updates.push({ ...update, of }),
    ...more,
  }
}

function enqueue(of: string, priority?: Priority, more?: Partial<QueuedMail>): void {
  reserve(priority).enqueue(mailOf(of, more))
}

/** How each mail ended, in the order of the endings. */
const endings = (): string[] =>
  updates.filter(({ retryInMs }) => retryInMs === null).map(({ of, result }) => `${of} ${result.outcome}`)

async function closed(): Promise<void> {
  const closing = queue.close()
  await clock.advance(11)
  await closing
}

describe('the places in the queue', () => {
  test('are 500; the 501st mail is rejected, and none of the 500 is lost', async () => {
    const gate = (transport.gate = new Gate())
    for (let i = 0; i < 500; i++) enqueue(`p${i}`)
    expect(queue.reserve('anonymous')).toEqual({ outcome: 'rejected', reason: 'queue_full', retryAfter: 10 })
    expect(queue.health()).toMatchObject({ queue: 500, breaker: 'closed' })
    gate.open()
    while (queue.health().queue > 0) await settled()
    expect(endings()).toEqual(Array.from({ length: 500 }, (_, i) => `p${i} accepted`))
    expect(clock.timers).toBe(0)
  })

  test('count from when they are reserved, so that many requests at once do not overfill the queue', () => {
    const reservations = Array.from({ length: 500 }, () => reserve())
    expect(queue.reserve('anonymous')).toMatchObject({ reason: 'queue_full' })
    reservations[0]?.release()
    reservations[0]?.release() // twice is once
    reserve()
    expect(queue.reserve('anonymous')).toMatchObject({ reason: 'queue_full' })
    for (const one of reservations.slice(1)) one.release()
    expect(queue.health().queue).toBe(0)
    reserve()
  })

  test('are given back by use(), unless a mail took them or somebody keeps them for later', async () => {
    for (let i = 0; i < 499; i++) reserve()
    await reserve().use(() => Promise.resolve())
    await expect(reserve().use(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const failing = reserve()
    const keepAndThrow = async (): Promise<void> => {
      failing.keep()
      await settled()
      throw new Error('no')
    }
    await expect(failing.use(keepAndThrow)).rejects.toThrow('no')
    const kept = reserve()
    await kept.use(async () => {
      kept.keep()
      await settled()
    })
    expect(queue.reserve('anonymous')).toMatchObject({ reason: 'queue_full' })
    kept.release()
    const gate = (transport.gate = new Gate())
    const used = reserve()
    await used.use(async () => {
      used.enqueue(mailOf('a'))
      await settled()
    })
    expect(queue.reserve('anonymous')).toMatchObject({ reason: 'queue_full' })
    gate.open()
    await settled()
    reserve()
  })

  test('are 600 with those of signed-in users, and a connection is reserved for them, whatever others type', async () => {
    start(new FakeTransport(), { hasUsers: true })
    const gate = (transport.gate = new Gate())
    for (let i = 0; i < 500; i++) enqueue(`p@${i}.example`)
    await settled()
    expect(transport.inFlight).toBe(2) // of three connections
    transport.gate = null
    for (let i = 0; i < 100; i++) enqueue(`user${i}`, 'signed-in')
    for (const priority of ['anonymous', 'signed-in'] as const)
      expect(queue.reserve(priority)).toMatchObject({ reason: 'queue_full' })
    while (endings().length < 100) await settled()
    expect(endings()).toEqual(Array.from({ length: 100 }, (_, i) => `user${i} accepted`))
    reserve('signed-in').release()
    gate.open()
    while (endings().length < 600) await settled()
  })

  test('are 500 for signed-in users as well, and no more', () => {
    transport.gate = new Gate()
    for (let i = 0; i < 500; i++) enqueue(`p${i}`, 'signed-in')
    expect(queue.reserve('signed-in')).toMatchObject({ reason: 'queue_full' })
  })
})

describe('how mails go out', () => {
  test('as many at once as there are connections', async () => {
    start(new FakeTransport(2))
    for (const of of ['a', 'b', 'c', 'd', 'e']) enqueue(of, 'signed-in')
    await clock.advance(0)
    while (endings().length < 5) await settled()
    expect(transport.mostInFlight).toBe(2)
  })

  test('signed-in users first', async () => {
    start(new FakeTransport(1))
    const gate = (transport.gate = new Gate())
    enqueue('first')
    enqueue('typed')
    enqueue('user', 'signed-in')
    gate.open()
    while (endings().length < 3) await settled()
    expect(endings()).toEqual(['first accepted', 'user accepted', 'typed accepted'])
  })

  test('in an even flow of `rate` a second, jobs among them', async () => {
    start(new FakeTransport(), {}, 10)
    for (let i = 0; i < 10; i++) enqueue(`p${i}`)
    const jobs = Array.from({ length: 10 }, (_, i) => sendOnce(queue, messageOf(`j${i}`).message, `j${i}@example.com`))
    for (let count = 1; count <= 20; count++) {
      await settled()
      expect(transport.attempts).toHaveLength(count)
      await clock.advance(0.1)
    }
    expect(await Promise.all(jobs)).toEqual(Array(10).fill({ outcome: 'accepted' }))
  })

  test('one at a time to the same address', async () => {
    const gate = (transport.gate = new Gate())
    enqueue('a', 'signed-in')
    enqueue('b', 'signed-in', { ...mailOf('a'), onUpdate: (update) => void updates.push({ ...update, of: 'b' }) })
    enqueue('c')
    await settled()
    expect(transport.attempts).toEqual(['a@example.com', 'c@example.com'])
    gate.open()
    while (endings().length < 3) await settled()
    expect(endings().sort()).toEqual(['a accepted', 'b accepted', 'c accepted'])
  })

  test('H18: thirty mails to a tarpit hold up no typed mail to another domain', async () => {
    const gate = (transport.gate = new Gate())
    for (let i = 0; i < 30; i++) enqueue(`p${i}@tarpit.example`)
    await settled()
    expect(transport.attempts).toEqual(['p0@tarpit.example'])
    transport.gate = null
    for (const of of ['a', 'b', 'c']) enqueue(of)
    while (endings().length < 3) await settled()
    expect(endings()).toEqual(['a accepted', 'b accepted', 'c accepted'])
    gate.open()
    while (endings().length < 33) await settled()
  })

  test('with no work between them: a mail that waits costs two timers, and none when it is gone', async () => {
    transport.error = BUSY
    enqueue('a')
    await settled()
    expect(clock.timers).toBe(2) // the next attempt and the deadline
    transport.error = null
    await clock.advance(3)
    expect(endings()).toEqual(['a accepted'])
    expect(clock.timers).toBe(0)
  })
})

describe('"too fast"', () => {
  test('pauses all mails until the next attempt, while the breaker stays closed, and none of them is lost', async () => {
    transport.error = smtpError('421 4.7.28 rate limited', 'MAIL FROM')
    enqueue('a')
    await settled()
    expect(updates).toMatchObject([{ of: 'a', result: { failureClass: 'quota' } }])
    transport.error = null
    enqueue('b')
    enqueue('c', 'signed-in')
    await clock.advance(1)
    expect(transport.attempts).toHaveLength(1)
    expect(queue.health().breaker).toBe('closed')
    await clock.advance(2)
    expect(endings().sort()).toEqual(['a accepted', 'b accepted', 'c accepted'])
  })

  test('with "come back in ten minutes" pauses the others for half a minute, and ends the one', async () => {
    transport.error = smtpError('421 4.7.28 rate limited, try again in 600 seconds', 'MAIL FROM')
    enqueue('a')
    await settled()
    transport.error = null
    enqueue('b')
    await clock.advance(29)
    expect(transport.attempts).toHaveLength(1)
    await clock.advance(2)
    expect(endings()).toEqual(['a unavailable', 'b accepted'])
  })

  const AFTER_RECIPIENT = [
    ['421 4.7.28 rate limited', 'RCPT TO'],
    ['421 4.7.28 rate limited', 'DATA'],
    ['454 Throttling failure: Maximum sending rate exceeded', 'DATA'],
  ] as const

  test.each(AFTER_RECIPIENT)('H18: "%s" as a reply to %s pauses nobody else', async (reply, command) => {
    transport.error = smtpError(reply, command)
    for (const of of ['a', 'b', 'c']) enqueue(of)
    while (updates.length < 3) await settled()
    transport.error = null
    enqueue('d')
    await settled()
    expect(endings()).toEqual(['d accepted'])
  })

  test.each(AFTER_RECIPIENT)('H18: "%s" as a reply to %s of three domains pauses all mail', async (reply, command) => {
    transport.error = smtpError(reply, command)
    for (const domain of ['a.example', 'b.example', 'c.example']) enqueue(`p@${domain}`)
    while (updates.length < 3) await settled()
    transport.error = null
    enqueue('d', 'signed-in')
    await clock.advance(1)
    expect(endings()).toEqual([])
    await clock.advance(3)
    expect(endings()).toContain('d accepted')
    expect(queue.health().breaker).toBe('closed')
  })
})

describe('another attempt', () => {
  test('carries the same message, with the same Message-ID, References and Date', async () => {
    const smtp = await ScriptedSmtp.listen({ end: 'close' })
    queue = queueOf({ transport: smtp.url }, clock)
    const message = {
      ...messageOf('a').message,
      messageId: '<one@acme.example>',
      references: '<two@acme.example>',
      date: new Date(0),
      text: 'code 482915',
    }
    enqueue('a', 'anonymous', { compose: () => Promise.resolve({ ...messageOf('a'), message }) })
    while (updates.length < 1) await settled()
    expect(updates[0]).toMatchObject({ result: { failureClass: 'connect' }, attempt: 1 })
    smtp.script = {}
    await clock.advance(3)
    while (endings().length < 1) await settled()
    await queue.close()
    await smtp.close()
    const [first, second, ...more] = smtp.messages
    expect(more).toEqual([])
    const header = (text: string | undefined, name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'im').exec(text ?? '')?.[1]
    for (const name of ['Message-ID', 'References', 'Date', 'Subject']) {
      expect(header(first, name)).toBeDefined()
      expect(header(second, name)).toBe(header(first, name))
    }
    expect(second).toContain('code 482915')
    expect(updates[1]).toMatchObject({ result: { outcome: 'accepted' }, attempt: 2, retryInMs: null })
  })

  test('is made until the deadline, and not after it', async () => {
    transport.error = BUSY
    enqueue('a')
    await clock.advance(305)
    expect(updates).toHaveLength(6)
    expect(transport.attempts).toHaveLength(6)
    expect(endings()).toEqual(['a unavailable'])
    expect(queue.health()).toEqual({ queue: 0, breaker: 'closed', lastError: 'greylist', retryAfter: 0 })
  })

  test('waits as long as the server asks for', async () => {
    transport.error = smtpError('451 4.7.1 greylisted, try again in 30 seconds')
    enqueue('a')
    await settled()
    expect(updates[0]?.retryInMs).toBe(31_000)
  })

  test('is not made for a code that was used in the meantime', async () => {
    transport.error = BUSY
    enqueue('a')
    await settled()
    expect(queue.cancel('a', USED)).toBe(true)
    expect(endings()).toEqual(['a cancelled'])
    transport.error = null
    await clock.advance(100)
    expect(transport.attempts).toEqual(['a@example.com'])
    expect(queue.cancel('a', USED)).toBe(false)
    expect(clock.timers).toBe(0)
  })

  test('is not made when the code is used during an attempt that then fails', async () => {
    const gate = (transport.gate = new Gate())
    transport.error = BUSY
    enqueue('a')
    await settled()
    expect(queue.cancel('a', USED)).toBe(false)
    gate.open()
    await clock.advance(300)
    expect(updates).toMatchObject([{ attempt: 1, retryInMs: null, result: USED }])
    expect(transport.attempts).toHaveLength(1)
  })
})

describe('a mail that is cancelled', () => {
  test('while it waits for a connection is never tried, and the next one is', async () => {
    start(new FakeTransport(1))
    const gate = (transport.gate = new Gate())
    for (const of of ['a', 'b', 'c']) enqueue(of)
    await settled()
    expect(queue.cancel('b', USED)).toBe(true)
    gate.open()
    while (endings().length < 3) await settled()
    expect(endings()).toEqual(['b cancelled', 'a accepted', 'c accepted'])
    expect(transport.attempts).toEqual(['a@example.com', 'c@example.com'])
  })

  test('in the moment when it gets its connection is not sent either', async () => {
    enqueue('a') // the connection is its own from now on, the attempt begins a moment later
    expect(queue.cancel('a', USED)).toBe(true)
    enqueue('b')
    await settled()
    expect(endings()).toEqual(['a cancelled', 'b accepted'])
    expect(transport.attempts).toEqual(['b@example.com'])
  })

  test('because of an outage still reports what the server says of the attempt under way', async () => {
    const gate = (transport.gate = new Gate())
    transport.error = smtpError('550 5.1.1 no')
    enqueue('a')
    await settled()
    expect(queue.cancel('a', BREAKER_OPEN)).toBe(false)
    gate.open()
    await settled()
    expect(updates).toMatchObject([{ retryInMs: null, result: { failureClass: 'recipient' } }])
  })
})

describe('the breaker before the server', () => {
  async function outage(): Promise<void> {
    transport.error = REFUSED_CONNECTION
    for (const of of ['a', 'b', 'c', 'd', 'e']) enqueue(of)
    while (updates.length < 5) await settled()
  }

  test('takes no mail while it is open, and says for how long; one that waits is the probe', async () => {
    await outage()
    expect(queue.health()).toEqual({ queue: 5, breaker: 'open', lastError: 'connect', retryAfter: 15 })
    await clock.advance(5)
    expect(queue.reserve('anonymous')).toEqual({ outcome: 'rejected', reason: 'breaker_open', retryAfter: 10 })
    expect(updates).toHaveLength(5)
    await clock.advance(10)
    expect(updates).toHaveLength(6)
    expect(queue.health()).toMatchObject({ breaker: 'open', retryAfter: 60 })
    expect(await sendOnce(queue, {}, 'x@example.com')).toEqual(BREAKER_OPEN)
  })

  test('lets one mail through when it is half-open, of a signed-in user if there is one, and all when that goes out', async () => {
    await outage()
    const alert = queue.reserve('signed-in', { canWaitForOutage: true })
    if (alert.outcome === 'rejected') throw new Error(alert.reason)
    alert.enqueue(mailOf('alert', { challengeId: null }))
    await clock.advance(14)
    const gate = (transport.gate = new Gate())
    transport.error = null
    await clock.advance(1)
    expect(transport.attempts.slice(5)).toEqual(['alert@example.com'])
    await clock.advance(10)
    expect(transport.attempts).toHaveLength(6)
    gate.open()
    await settled()
    await settled()
    expect(endings().sort()).toEqual(['a', 'alert', 'b', 'c', 'd', 'e'].map((of) => `${of} accepted`))
    expect(queue.health()).toMatchObject({ queue: 0, breaker: 'closed' })
  })

  test('loses no probe: when all that were to begin are cancelled in that moment, another mail is it', async () => {
    let atEachTimer = (): void => undefined
    const { after } = clock
    Object.assign(clock, {
      after: (ms: number, callback: () => void) =>
        after(ms, () => {
          callback()
          atEachTimer()
        }),
    })
    await outage()
    await clock.advance(14.9)
    transport.error = null
    atEachTimer = () => {
      for (const of of ['a', 'b', 'c', 'd']) queue.cancel(of, USED)
    }
    await clock.advance(0.2)
    expect(endings().sort()).toEqual(['a', 'b', 'c', 'd'].map((of) => `${of} cancelled`).concat('e accepted'))
    expect(transport.attempts.slice(5)).toEqual(['e@example.com'])
  })

  test('is not passed by a mail that waited for a connection while it opened', async () => {
    start(new FakeTransport(1))
    transport.error = smtpError('535 5.7.8 who are you', 'AUTH PLAIN')
    enqueue('a')
    enqueue('b')
    await clock.advance(10)
    expect(transport.attempts).toEqual(['a@example.com'])
    expect(queue.health().breaker).toBe('open')
  })

  test('leaves a mail that cannot go out in time: it ends unsent, though nothing was tried', async () => {
    transport.error = smtpError('554 5.7.1 blocked', 'CONN')
    for (const of of ['a', 'b', 'c', 'd', 'e']) enqueue(of)
    const late = reserve()
    while (endings().length < 5) await settled() // a server that blocks us gets no retry
    late.enqueue(mailOf('late', { firstAttemptUntil: 10_000, retryUntil: -60_000 }))
    await clock.advance(11)
    expect(updates[5]).toMatchObject({ of: 'late', attempt: 0, result: localFailure('connect', 'too late') })
  })

  test('ends jobs that wait, since their own queue tries again', async () => {
    start(new FakeTransport(1))
    const gate = (transport.gate = new Gate())
    transport.error = smtpError('535 5.7.8 who are you', 'AUTH PLAIN')
    enqueue('a')
    const job = sendOnce(queue, {}, 'x@example.com')
    await settled()
    gate.open()
    expect(await job).toEqual(BREAKER_OPEN)
    expect(transport.attempts).toHaveLength(1)
  })
})

describe('a mail that waits too long', () => {
  test('for a connection ends as it is, at its deadline', async () => {
    start(new FakeTransport(1))
    const gate = (transport.gate = new Gate())
    enqueue('a')
    enqueue('late')
    await clock.advance(19)
    enqueue('short', 'anonymous', { firstAttemptUntil: clock.now() + 500 })
    await clock.advance(0.6)
    expect(updates).toMatchObject([{ of: 'short', attempt: 0, result: { reason: 'too late' } }])
    gate.open()
    while (endings().length < 3) await settled()
    expect(transport.attempts).toEqual(['a@example.com', 'late@example.com'])
  })

  test('after an attempt reports the failure of that attempt', async () => {
    transport.error = BUSY
    enqueue('a')
    await settled()
    transport.error = REFUSED_CONNECTION
    for (const of of ['b', 'c', 'd', 'e', 'f']) enqueue(of, 'anonymous', { retryUntil: 0 })
    while (endings().length < 5) await settled()
    transport.error = new Error('the probe tells nothing')
    await clock.advance(306)
    expect(endings()).toContain('a unavailable')
    expect(updates.at(-1)?.result).not.toMatchObject({ reason: 'too late' })
  })
})

test('jobs go out as many at once as there are connections, and waiting is no part of an attempt', async () => {
  const jobs = Array.from({ length: 50 }, (_, i) => sendOnce(queue, messageOf(`p${i}`).message, `p${i}@example.com`))
  expect(await Promise.all(jobs)).toEqual(Array(50).fill({ outcome: 'accepted' }))
  expect(transport.mostInFlight).toBe(3)
})

test('a job that waits past its deadline is not tried', async () => {
  start(new FakeTransport(1))
  transport.gate = new Gate()
  enqueue('a')
  const job = queue.sendJob(messageOf('j'), 'signed-in', 5_000)
  await clock.advance(6)
  expect(await job).toMatchObject({ attempt: 0, result: { outcome: 'unavailable', reason: 'too late' } })
})

function itself(): Error {
  const error: Error & { rejectedErrors?: unknown } = new Error('again')
  error.rejectedErrors = [Object.assign(new Error('inside'), { rejectedErrors: [error] })]
  return error
}

function riddle(): Error {
  const read = (): never => {
    throw new Error('no')
  }
  return Object.defineProperty(new Error('riddle'), 'code', { get: read })
}

test.each([
  ['cannot be read', riddle()],
  ['contains itself', itself()],
])('an error that %s is a failure like any other', async (_how, error) => {
  transport.error = error
  enqueue('a')
  await settled()
  expect(updates[0]?.result).toMatchObject({ failureClass: 'unknown' })
})

describe('closing', () => {
  test('ends jobs that hang or wait, after ten seconds', async () => {
    transport.gate = new Gate()
    const jobs = Array.from({ length: 9 }, (_, i) => sendOnce(queue, messageOf(`p${i}`).message, `p${i}@example.com`))
    await closed()
    expect(await Promise.all(jobs)).toMatchObject(Array(9).fill({ outcome: 'unavailable', reason: 'closed' }))
  })

  test('gives every mail its last attempt, though the server says "too fast"', async () => {
    transport.error = smtpError('421 4.7.28 rate limited', 'MAIL FROM')
    for (const of of ['a', 'b', 'c', 'd', 'e', 'f']) enqueue(of)
    await closed()
    expect(updates.map(({ attempt }) => attempt)).toEqual(Array(6).fill(1))
  })

  test('ends a pause that "too fast" began', async () => {
    transport.error = smtpError('421 4.7.28 rate limited, try again in 20 seconds', 'MAIL FROM')
    enqueue('a')
    await settled()
    enqueue('b')
    transport.error = null
    await queue.close()
    expect(endings().sort()).toEqual(['a accepted', 'b accepted'])
  })

  test('takes no more mails and lets those under way finish', async () => {
    for (let i = 0; i < 20; i++) enqueue(`p${i}`)
    const late = reserve()
    const closing = queue.close()
    expect(queue.reserve('anonymous')).toMatchObject({ reason: 'closed' })
    late.enqueue(mailOf('late'))
    await closing
    expect(endings().filter((one) => one.endsWith(' accepted'))).toHaveLength(20)
    expect(endings()).toContain('late unavailable')
    expect(await sendOnce(queue, {}, 'x@example.com')).toMatchObject({ reason: 'closed' })
    expect(clock.timers).toBe(0)
  })

  test('gives a mail that waits for its next attempt a last one', async () => {
    transport.error = BUSY
    enqueue('a')
    enqueue('b')
    await settled()
    transport.error = null
    await queue.close()
    expect(endings().sort()).toEqual(['a accepted', 'b accepted'])
  })

  test('does not wait for a breaker', async () => {
    transport.error = REFUSED_CONNECTION
    for (const of of ['a', 'b', 'c', 'd', 'e']) enqueue(of)
    while (updates.length < 5) await settled()
    await queue.close()
    expect(endings()).toHaveLength(5)
  })

  test('is forced after ten seconds: the mail ends unsent, and only once', async () => {
    const gate = (transport.gate = new Gate())
    enqueue('a')
    await closed()
    expect(endings()).toEqual(['a unavailable'])
    gate.open()
    await settled()
    expect(updates).toHaveLength(1)
  })
})
