import { Gate } from '../helpers/gate.js'
import { ManualClock, settled } from '../helpers/manual-clock.js'
import { FakeTransport, REFUSED_CONNECTION, smtpError } from '../helpers/send-queue.js'
import { issueChallenge } from '../../src/challenge/challenge.js'
import { PLAIN_ACCESS } from '../../src/challenge/step-up.js'
import { resolveMailSettings } from '../../src/config/mail-settings.js'
import { resolveSettings } from '../../src/config/settings.js'
import { DeliveryStatusCache } from '../../src/delivery/delivery-status.js'
import { SendQueue } from '../../src/delivery/queue/send-queue.js'
import { sendAndWait, type SendAndWaitDeps, type SendReport } from '../../src/delivery/send-and-wait.js'
import { OtpEvents } from '../../src/events.js'
import { identityFromUser } from '../../src/identity/user.js'
import { MemoryStore, type OtpEvent, type SpendOutcome } from '../../src/index.js'
import type { CodeMailRequest } from '../../src/mail/mail-request.js'
import { createRenderer } from '../../src/views/renderer.js'

const NOW = Date.parse('2030-01-01T14:22:00Z')
const views = createRenderer([], 'en')

let clock: ManualClock
let transport: FakeTransport
let deps: SendAndWaitDeps & { readonly sendQueue: SendQueue }
let events: OtpEvent[]
/** Buckets that permits were given back to. */
let refunds: string[]

beforeEach(() => {
  clock = new ManualClock()
  transport = new FakeTransport()
  events = []
  refunds = []
  const now = (): number => NOW + clock.now()
  const mail = { transport, from: 'Acme <no-reply@acme.example>' }
  const options = { secret: 'x'.repeat(32), site: { name: 'Acme' }, mail, user: () => null, now }
  const settings = { ...resolveSettings(options), clock }
  const mailSettings = resolveMailSettings(mail)
  const store = new MemoryStore({ now })
  const spend = store.spend.bind(store)
  store.spend = (request): Promise<SpendOutcome> => {
    if (request.permits === -1) refunds.push(request.bucket.replace(/:.*/, ''))
    return spend(request)
  }
  const otpEvents = new OtpEvents(now)
  for (const type of ['sent', 'undelivered', 'failed'] as const)
    otpEvents.on(type, (event: OtpEvent) => void events.push(event))
  const sendQueue = new SendQueue(mailSettings, clock, () => undefined)
  const deliveryStatus = new DeliveryStatusCache(clock, settings.lifetime)
  deps = { settings, mailSettings, views, store, events: otpEvents, sendQueue, deliveryStatus }
})

type Request = CodeMailRequest & { challenge: { sendId: string } }

async function requestFor(id: string): Promise<Request> {
  const identity = identityFromUser({ id, email: `${id}@example.com` })
  const buckets = { sends: deps.settings.limits.sendsPerUser, extraBuckets: [] }
  const request = { identity, stepUp: PLAIN_ACCESS, existing: null, locale: 'en', buckets }
  const issued = await issueChallenge(deps, request)
  if (issued.outcome === 'throttled') throw new Error('throttled')
  return { type: 'code', identity, stepUp: PLAIN_ACCESS, challenge: issued.challenge }
}

function send(request: Request): Promise<SendReport> {
  const reservation = deps.sendQueue.reserve('signed-in')
  if (reservation.outcome === 'rejected') throw new Error(reservation.reason)
  return sendAndWait(deps, reservation, request)
}

const statusOf = ({ challenge }: Request) => deps.deliveryStatus.get(challenge.sendId)

test('a mail that the server takes is sent, and nobody waits any longer', async () => {
  const request = await requestFor('ana')
  expect(await send(request)).toEqual({ status: 'sent', failureClass: null, retryAfter: 0 })
  expect(statusOf(request)).toEqual({ delivery: 'sent', failureClass: null })
  expect([clock.timers, refunds]).toEqual([0, []])
})

test.each([
  ['a full mailbox', '552 5.2.2 full', 'refused', 'mailbox-full'],
  ['no such mailbox', '550 5.1.1 no', 'refused', 'recipient'],
])('%s is reported at once, and costs nothing', async (_what, reply, status, failureClass) => {
  transport.error = smtpError(reply)
  const request = await requestFor('ana')
  expect(await send(request)).toEqual({ status, failureClass, retryAfter: 0 })
  expect(statusOf(request)).toEqual({ delivery: 'failed', failureClass })
  expect(refunds.sort()).toEqual(['resend', 'sends'])
})

test('a server that does not answer within three seconds leaves the mail queued; the page learns the end', async () => {
  const gate = (transport.gate = new Gate())
  const request = await requestFor('ana')
  const sending = send(request)
  await clock.advance(2.9)
  expect(statusOf(request)).toEqual({ delivery: 'queued', failureClass: null })
  await clock.advance(0.1)
  expect(await sending).toEqual({ status: 'queued', failureClass: null, retryAfter: 0 })
  gate.open()
  await settled()
  expect(statusOf(request)).toEqual({ delivery: 'sent', failureClass: null })
})

test('a retry within the three seconds is waited for, a later one is not', async () => {
  transport.error = smtpError('450 4.2.1 busy')
  const soon = send(await requestFor('ana'))
  await settled()
  transport.error = null
  await clock.advance(2.6)
  expect(await soon).toMatchObject({ status: 'sent' })

  transport.error = smtpError('451 4.7.1 try again in 30 seconds')
  const request = await requestFor('ben')
  expect(await send(request)).toEqual({ status: 'queued', failureClass: 'greylist', retryAfter: 0 })
  expect(statusOf(request)).toEqual({ delivery: 'queued', failureClass: 'greylist' })
})

test('a mail that fails after the response is refunded then', async () => {
  transport.error = smtpError('451 4.7.1 try again in 30 seconds')
  const request = await requestFor('ana')
  await send(request)
  expect(refunds).toEqual([])
  transport.error = smtpError('550 5.1.1 no')
  await clock.advance(31)
  await settled()
  expect(statusOf(request)).toEqual({ delivery: 'failed', failureClass: 'recipient' })
  expect(refunds.sort()).toEqual(['resend', 'sends'])
})

test('when the breaker opens, everybody who waits is told of the outage, and no mail goes out after that', async () => {
  transport.error = REFUSED_CONNECTION
  const requests = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(requestFor))
  const reports = Promise.all(requests.map(send))
  await clock.advance(3)
  for (const report of await reports)
    expect(report).toEqual({ status: 'unavailable', failureClass: 'connect', retryAfter: expect.any(Number) as number })
  for (const request of requests) expect(statusOf(request)).toMatchObject({ delivery: 'failed' })
  expect(refunds).toHaveLength(10)
  transport.error = null
  await clock.advance(600)
  expect(transport.attempts).toHaveLength(5)
})

test('a mail that cannot be composed is unavailable, and gives its place back', async () => {
  const request = await requestFor('ana')
  const unknown = { ...request, challenge: { ...request.challenge, secret: 'another' } }
  expect(await send(unknown)).toEqual({ status: 'unavailable', failureClass: 'content', retryAfter: 0 })
  expect(events).toMatchObject([
    { type: 'failed', outcome: 'mail_failed' },
    { type: 'undelivered', attempt: 0 },
  ])
  expect(deps.sendQueue.health().queue).toBe(0)
})

test('a mail that is cancelled while somebody waits for it is neither lost nor refunded', async () => {
  const gate = (transport.gate = new Gate())
  transport.error = smtpError('450 4.2.1 busy')
  const request = await requestFor('ana')
  const sending = send(request)
  await settled()
  deps.sendQueue.cancel(request.challenge.id, { outcome: 'cancelled', reason: 'used' })
  gate.open()
  expect(await sending).toEqual({ status: 'queued', failureClass: null, retryAfter: 0 })
  expect(events).toMatchObject([{ type: 'undelivered', outcome: 'cancelled', severity: 'info' }])
  expect(refunds).toEqual([])
})

describe('the delivery status', () => {
  const sent = { delivery: 'sent', failureClass: null } as const
  const failed = { delivery: 'failed', failureClass: 'content' } as const

  test('belongs to one send; that a code was sent at all outlives a later one that failed', () => {
    const cache = new DeliveryStatusCache(clock, 600)
    cache.set({ id: 'c', kind: 'short', sendId: '1' }, sent)
    cache.set({ id: 'c', kind: 'short', sendId: '2' }, failed)
    expect([cache.get('1'), cache.get('2'), cache.get('3')]).toEqual([sent, failed, null])
    expect(cache.hasSent({ id: 'c', kind: 'short' })).toBe(true)
    expect(cache.hasSent({ id: 'c', kind: 'long' })).toBe(false)
  })

  test('is kept for the lifetime of a code, and of the newest ten thousand', async () => {
    const cache = new DeliveryStatusCache(clock, 600)
    const key = (sendId: string) => ({ id: 'c', kind: 'short', sendId }) as const
    cache.set(key('old'), failed)
    await clock.advance(600)
    expect(cache.get('old')).toBeNull()
    for (let i = 0; i <= 10_000; i++) cache.set(key(`${i}`), failed)
    expect([cache.get('0'), cache.get('1'), cache.get('10000')]).toEqual([null, failed, failed])
  })
})

describe('while `mail.locals` is at work', () => {
  let gate: Gate
  beforeEach(() => {
    gate = new Gate()
    const locals = async () => {
      await gate.opened
      return {}
    }
    deps = { ...deps, mailSettings: { ...deps.mailSettings, locals } }
  })
  const USED = { outcome: 'cancelled', reason: 'used' } as const

  test('H14: the response waits for three seconds, and the mail goes out later', async () => {
    const sending = send(await requestFor('ana'))
    await clock.advance(3)
    expect(await sending).toEqual({ status: 'queued', failureClass: null, retryAfter: 0 })
    expect(deps.sendQueue.health().queue).toBe(1)
    gate.open()
    await settled()
    expect(transport.attempts).toEqual(['ana@example.com'])
    expect(deps.sendQueue.health().queue).toBe(0)
  })

  test('H14: a function that hangs holds its place for five seconds, and the mail goes out', async () => {
    const sending = send(await requestFor('ana'))
    await clock.advance(5)
    await settled()
    expect(transport.attempts).toEqual(['ana@example.com'])
    expect(events).toMatchObject([{ type: 'failed', outcome: 'host_callback' }, { type: 'sent' }])
    await sending
    expect([deps.sendQueue.health().queue, clock.timers]).toEqual([0, 0])
  })

  test('H14: the places in the queue are limited as ever', async () => {
    const requests = await Promise.all(Array.from({ length: 500 }, (_, i) => requestFor(`u${i}`)))
    const sending = requests.map(send)
    expect(deps.sendQueue.reserve('signed-in')).toMatchObject({ outcome: 'rejected', reason: 'queue_full' })
    gate.open()
    await Promise.all(sending)
    expect(transport.attempts).toHaveLength(500)
    expect(deps.sendQueue.health().queue).toBe(0)
  })

  test('H14: a mail that is cancelled is not sent', async () => {
    const request = await requestFor('ana')
    const sending = send(request)
    await settled()
    expect(deps.sendQueue.cancel(request.challenge.id, USED)).toBe(true)
    expect(deps.sendQueue.health().queue).toBe(0)
    gate.open()
    await sending
    await clock.advance(60)
    expect(transport.attempts).toEqual([])
    expect(events).toMatchObject([{ type: 'undelivered', outcome: 'cancelled', attempt: 0 }])
  })

  test('H14: an outage that begins meanwhile is told, and nothing is sent after it', async () => {
    const sending = send(await requestFor('ana'))
    await settled()
    const others = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(requestFor))
    transport.error = REFUSED_CONNECTION
    deps = { ...deps, mailSettings: { ...deps.mailSettings, locals: null } }
    const reports = others.map(send)
    await clock.advance(3)
    expect(await sending).toMatchObject({ status: 'unavailable', failureClass: 'connect' })
    await Promise.all(reports)
    transport.error = null
    gate.open()
    await clock.advance(600)
    expect(transport.attempts).not.toContain('ana@example.com')
  })

  test('H14: close() waits for ten seconds at most, and nothing is sent after it', async () => {
    const never = (): Promise<never> => new Promise(() => undefined)
    deps = { ...deps, mailSettings: { ...deps.mailSettings, locals: () => ({}), render: never } }
    const first = send(await requestFor('ana'))
    await settled()
    const closing = deps.sendQueue.close()
    await clock.advance(4)
    expect(transport.attempts).toEqual([])
    await clock.advance(6)
    await Promise.all([closing, first])
    const sent = transport.attempts.length
    expect(sent).toBe(1) // with the templates, after five seconds
    await clock.advance(60)
    expect(transport.attempts).toHaveLength(sent)
  })

  test('H14: what is still at work when close() gives up is not sent', async () => {
    const endless = { ...deps.mailSettings, locals: () => gate.opened.then(() => ({})) }
    deps = { ...deps, mailSettings: endless, settings: { ...deps.settings, clock: new ManualClock() } }
    void send(await requestFor('ana'))
    await settled()
    const closing = deps.sendQueue.close()
    await clock.advance(10)
    await closing
    gate.open()
    await settled()
    expect(transport.attempts).toEqual([])
    expect(events).toMatchObject([{ type: 'undelivered', reason: 'closed' }])
  })
})
