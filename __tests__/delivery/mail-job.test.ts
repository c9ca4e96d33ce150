import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import type { Response } from 'supertest'
import { guess, guessWrongly } from '../helpers/guessing.js'
import { type Agent, ANA, BEN, HostApp, type HostOptions, NAVIGATE, SECRET } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import { keyRing } from '../../src/crypto/keys.js'
import { seal, unseal } from '../../src/crypto/seal.js'
import {
  type EmailOtp,
  emailOtp,
  type MailJob,
  type OtpError,
  type OtpEvent,
  type OtpOptions,
} from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const OTHER_SECRET = 'another-secret-for-tests-of-32-characters'
const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }
/** So long that it stands nowhere by chance. */
const LONG_CODE: Partial<OtpOptions> = { code: { digits: 18 } }

/** The queue of a host: what it took, as JSON keeps it. */
let queue: MailJob[]
let host: HostApp
let smtp: ScriptedSmtp | null
const workers: EmailOtp[] = []
beforeEach(() => {
  queue = []
  smtp = null
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close()
  await smtp?.close()
  await host.close()
})

/** Sends nothing itself: its server is gone. */
async function app(otp: Partial<OtpOptions> = {}, deliver: Deliver = enqueue, rest: HostOptions = {}) {
  const mail = { transport: await ScriptedSmtp.goneUrl(), from: FROM, deliver }
  host = await HostApp.start({ ...rest, otp: { mail, ...otp } })
}
type Deliver = NonNullable<OtpOptions['mail']['deliver']>

function enqueue(job: MailJob): Promise<number> {
  const kept = JSON.parse(JSON.stringify(job)) as MailJob
  expect(kept).toEqual(job)
  return Promise.resolve(queue.push(kept))
}

interface Worker extends EmailOtp {
  readonly published: OtpEvent[]
}

/** A plugin of its own, as in another process: it shares options with the app, and nothing else. */
function worker(more: Partial<OtpOptions> = {}, transport: string = host.mailbox.url): Worker {
  const site = { name: 'Acme', origin: 'https://acme.example' }
  const { now } = host.clock
  const otp = emailOtp({ secret: SECRET, site, mail: { transport, from: FROM }, user: () => null, now, ...more })
  workers.push(otp)
  const published: OtpEvent[] = []
  for (const type of ['sent', 'undelivered', 'failed'] as const)
    otp.events.on(type, (event: OtpEvent) => void published.push(event))
  return { ...otp, published }
}

const send = (jar: Agent, fields: object = {}) => jar.post('/2fa/send').send(fields)

/** A job, and the session that waits for its mail. */
async function waiting(user = ANA, fields: object = {}): Promise<{ jar: Agent; job: MailJob }> {
  const jar = await host.signedIn(user)
  const { body } = await send(jar, fields).expect(200)
  expect(body).toMatchObject({ delivery: 'queued' })
  return { jar, job: newest() }
}

/** Waits until as many jobs in all are in the queue, which those of typed addresses reach within two seconds. */
async function handedOver(count: number): Promise<void> {
  while (queue.length < count) await new Promise((resolve) => setTimeout(resolve, 10))
}

function newest(): MailJob {
  const job = queue.at(-1)
  if (!job) throw new Error('nothing was handed over')
  return job
}

const thrown = (delivering: Promise<unknown>): Promise<OtpError> =>
  delivering.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: unknown) => error as OtpError,
  )

/** The next event of a type. */
const next = (type: OtpEvent['type'], otp = host.otp): Promise<OtpEvent> =>
  new Promise((resolve) =>
    otp.events.once(type, (event: OtpEvent) => {
      resolve(event)
    }),
  )

const messageIds = (): (string | undefined)[] => host.mailbox.received.map(({ mail }) => mail.messageId)

describe('a job', () => {
  test('carries a mail to a worker, whose code verifies in the session that asked', async () => {
    await app()
    const { jar, job } = await waiting()
    expect(host.mailbox.received).toEqual([])
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(page.text).toContain('It is on its way to a•••@example.com.')
    expect(await worker().deliverJob(job)).toEqual({ outcome: 'accepted' })
    expect(host.mailbox.last.to).toEqual([ANA.email])
    await guess(jar, host.mailbox.code).expect(200)
    await jar.get('/secret').expect(200, 'the secret')
    expect(host.events.map(({ type }) => type)).toEqual(['issued', 'verified'])
  })

  test('C3 and I4: it shows an address, a view and a locale, and holds no code; the rest is sealed', async () => {
    await app(LONG_CODE)
    const jar = await host.signedIn({ id: 'the id of Ana', email: ANA.email, name: 'Ana of Acme' })
    const { body } = await jar.post('/transfer').send({ amount: '50.00', payee: 'Ben of Acme' })
    await send(jar, { for: body.for }).expect(200)
    const job = newest()
    await worker().deliverJob(job)
    const { code } = host.mailbox
    expect(code).toMatch(/^\d{18}$/)
    const { payload, ...publicFields } = job
    expect(publicFields).toEqual({ address: ANA.email, view: 'code', locale: 'en' })
    expect(payload).toMatch(/^[\w-]+$/)
    for (const text of [...Object.values(job), Buffer.from(payload, 'base64url').toString('latin1')]) {
      for (const secret of [code, 'the id of Ana', 'of Acme', '50.00', 'transfer']) expect(text).not.toContain(secret)
    }
    expect(Buffer.from(payload, 'base64url').toString('latin1')).not.toMatch(/example|challenge/)
    await guess(jar, code, { for: body.for }).expect(200)
  })

  test('H7: is the same mail however often it is delivered: one code, Message-ID, Date and id in events', async () => {
    await app()
    const { job } = await waiting()
    const [one, two] = [worker(), worker()]
    for (const otp of [one, one, two]) {
      await otp.deliverJob(job)
      host.clock.tick(60)
    }
    for (const header of [/^Date: .*$/m, /^References: .*$/m]) {
      expect(new Set(host.mailbox.received.map(({ raw }) => header.exec(raw)?.[0])).size).toBe(1)
    }
    const codes = host.mailbox.received.map(codeIn)
    expect(new Set(codes).size).toBe(1)
    expect(messageIds()).toHaveLength(3)
    expect(new Set(messageIds()).size).toBe(1)
    const names = [...one.published, ...two.published].map((event) => 'mail' in event && event.mail)
    expect(names).toEqual(Array(3).fill(expect.stringMatching(/^[\da-f-]{36}$/)))
    expect(new Set(names).size).toBe(1)
  })

  test('H7: of a resend repeats the code in a mail of its own, for a restart there is another one', async () => {
    await app()
    const { jar } = await waiting()
    host.clock.tick(31)
    await send(jar).expect(200)
    await jar.post('/2fa/restart').send({}).expect(200)
    await send(jar).expect(200)
    const otp = worker()
    for (const job of queue) await otp.deliverJob(job)
    const [first, again, other] = host.mailbox.received.map(codeIn)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    expect(new Set(messageIds()).size).toBe(3)
    await guess(jar, other ?? '').expect(200)
  })

  test('for an action stays bound to amount and payee through the queue', async () => {
    await app()
    const jar = await host.signedIn()
    const actions = [50, 60].map((amount) => ({ amount, payee: 'Ben' }))
    const sealed: string[] = []
    for (const action of actions) sealed.push((await jar.post('/transfer').send(action)).body.for as string)
    for (const one of sealed) await send(jar, { for: one }).expect(200)
    const otp = worker()
    for (const job of queue) await otp.deliverJob(job)
    const [first, second] = host.mailbox.received
    expect(first?.mail.text).toContain('Send 50 EUR to Ben')
    expect(second?.mail.text).toContain('Send 60 EUR to Ben')
    const codes = host.mailbox.received.map(codeIn)
    await guess(jar, codes[0] ?? '', { for: sealed[1] }).expect(422)
    await guess(jar, codes[1] ?? '', { for: sealed[1] }).expect(200)
    await jar.post('/transfer').send(actions[0]).expect(401)
    await jar.post('/transfer').send(actions[1]).expect(200)
    expect(host.transfers).toEqual([{ amount: '60', payee: 'Ben' }])
  })

  test('is rendered with the views of its purpose, in the language of the user', async () => {
    const views = mkdtempSync(path.join(tmpdir(), 'views-'))
    for (const folder of ['mail/transfer', 'locales']) mkdirSync(path.join(views, folder), { recursive: true })
    writeFileSync(path.join(views, 'mail/transfer/subject.hbs'), 'A transfer, {{locale}}')
    writeFileSync(path.join(views, 'locales/de.json'), '{}')
    try {
      await app({ views })
      const jar = await host.signedIn({ ...ANA, locale: 'de' })
      const { body } = await jar.post('/transfer').send({ amount: 50, payee: 'Ben' })
      await send(jar, { for: body.for }).expect(200)
      await send(jar).expect(200)
      expect(queue.map(({ view, locale }) => [view, locale])).toEqual([
        ['transfer', 'de'],
        ['code', 'de'],
      ])
      const otp = worker({ views })
      for (const job of queue) await otp.deliverJob(job)
      expect(host.mailbox.received[0]?.mail.subject).toBe('A transfer, de')
      expect(otp.published).toMatchObject([
        { view: 'transfer', locale: 'de', purpose: 'transfer' },
        { view: 'code', locale: 'de', purpose: 'access' },
      ])
    } finally {
      rmSync(views, { recursive: true })
    }
  })

  test('shows the code that the app takes, whatever `code` the worker was given', async () => {
    await app({ code: { digits: 9 } })
    const { jar, job } = await waiting()
    await worker({ code: { alphabet: 'ABCDEFGH', length: 10 } }).deliverJob(job)
    expect(host.mailbox.code).toMatch(/^\d{9}$/)
    await guess(jar, host.mailbox.code).expect(200)
  })

  test('of a long code too', async () => {
    await app({ limits: { failures: { capacity: 1 } } })
    const otp = worker()
    const mistyped = await waiting()
    await otp.deliverJob(mistyped.job)
    await guessWrongly(mistyped.jar, host.mailbox.code, 1)
    const { jar, job } = await waiting()
    await otp.deliverJob(job)
    expect(host.mailbox.code).toMatch(/^[0-9A-Z]{5}-/)
    await guess(jar, host.mailbox.code).expect(200)
  })

  test('with the alert to the owner goes through the queue as well, and is the same mail each time', async () => {
    await app()
    const otp = worker()
    for (let codes = 0; codes < 2; codes++) {
      const { jar, job } = await waiting()
      await otp.deliverJob(job)
      await guessWrongly(jar, host.mailbox.code, 5)
    }
    while (newest().view !== 'alert') await new Promise(setImmediate)
    const alert = newest()
    expect(alert).toMatchObject({ address: ANA.email, view: 'alert', locale: 'en' })
    expect(await otp.deliverJob(alert)).toEqual({ outcome: 'accepted' })
    expect(await otp.deliverJob(alert)).toEqual({ outcome: 'accepted' })
    expect(host.mailbox.last.mail.subject).toBe('Wrong codes were typed for you at Acme')
    expect(host.mailbox.last.mail.text).not.toMatch(/\d{6}/)
    const [one, two] = messageIds().slice(-2)
    expect(two).toBe(one)
    expect(otp.published.at(-1)).toMatchObject({ type: 'sent', view: 'alert', user: 'u1', tag: null })
    host.clock.tick(3_601) // an alert is worth sending for an hour
    expect(await otp.deliverJob(alert)).toEqual({ outcome: 'expired' })
    expect(host.mailbox.received).toHaveLength(4)
  })
})

describe('B6: whoever can write into the queue can neither redirect a mail nor make one', () => {
  const flipped = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

  test.each<[string, (job: MailJob, other: MailJob) => unknown]>([
    ['the first character of the payload', (job) => ({ ...job, payload: flipped(job.payload, 0) })],
    ['a character in the middle of the payload', (job) => ({ ...job, payload: flipped(job.payload, 200) })],
    ['the payload, cut short', (job) => ({ ...job, payload: job.payload.slice(0, -1) })],
    ['the payload, with white space', (job) => ({ ...job, payload: `${job.payload}\n` })],
    ['no payload', (job) => ({ ...job, payload: '' })],
    ['the payload of another job', (job, other) => ({ ...job, payload: other.payload })],
    ['another address', (job) => ({ ...job, address: 'eve@example.com' })],
    ['an address more', (job) => ({ ...job, address: `${job.address}, eve@example.com` })],
    ['the address in capitals', (job) => ({ ...job, address: job.address.toUpperCase() })],
    ['the address in a list', (job) => ({ ...job, address: [job.address] })],
    ['no address', ({ payload, view, locale }) => ({ payload, view, locale })],
    ['another view', (job) => ({ ...job, view: 'alert' })],
    ['another locale', (job) => ({ ...job, locale: 'de' })],
    ['only the payload', ({ payload }) => payload],
    ['a list', (job) => [job]],
    ['an empty object', () => ({})],
    ['null', () => null],
    ['undefined', () => undefined],
    ['a number', () => 42],
    ['a text', () => 'job'],
  ])('B6: %s is refused, and nothing is mailed', async (_what, alter) => {
    await app()
    const { job: other } = await waiting(BEN)
    const { job } = await waiting()
    const otp = worker()
    const error = await thrown(otp.deliverJob(alter(job, other) as MailJob))
    expect(error).toMatchObject({ name: 'OtpError', code: 'invalid_job' })
    expect(error.message).not.toContain('@')
    expect(host.mailbox.received).toEqual([])
    expect(otp.published).toEqual([])
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'accepted' })
  })

  test('B6: what the plugin sealed for another use is no job', async () => {
    await app()
    const { job } = await waiting()
    const { body } = await (await host.signedIn()).post('/transfer').send({ amount: 50, payee: 'Ben' })
    const error = await thrown(worker().deliverJob({ ...job, payload: body.for }))
    expect(error.code).toBe('invalid_job')
    expect(host.mailbox.received).toEqual([])
  })

  const keys = keyRing([SECRET]).current.job
  const resealed = (job: MailJob, change: (payload: Record<string, unknown>) => unknown): MailJob => {
    const payload = JSON.parse(unseal([keys], job.payload) ?? '') as Record<string, unknown>
    return { ...job, payload: seal(keys, JSON.stringify(change(payload))) }
  }

  test.each<[string, (payload: Record<string, unknown>) => unknown]>([
    ['of a later version', (payload) => ({ ...payload, v: 2 })],
    ['of none', (payload) => ({ ...payload, v: undefined })],
    ['that is no object', () => 'job'],
    ['that is null', () => null],
  ])('a payload %s, as another version of the package may seal it, is refused', async (_what, change) => {
    await app()
    const { job } = await waiting()
    const otp = worker()
    const error = await thrown(otp.deliverJob(resealed(job, change)))
    expect(error).toMatchObject({ code: 'invalid_job', message: expect.stringContaining('another version') })
    expect([host.mailbox.received, otp.published]).toEqual([[], []])
    expect(await otp.deliverJob(resealed(job, (payload) => payload))).toEqual({ outcome: 'accepted' })
  })

  test('C3: the payload is plain fields of its own, with a version, and without the code', async () => {
    await app(LONG_CODE)
    const { job } = await waiting({ ...ANA, id: 7 })
    const payload = JSON.parse(unseal([keys], job.payload) ?? '') as Record<string, unknown>
    expect(payload).toEqual({
      v: 1,
      type: 'code',
      mailId: expect.any(String),
      enqueuedAt: host.clock.ms,
      ...{ address: ANA.email, view: 'code', locale: 'en' },
      format: { alphabet: '0123456789', length: 18 },
      ...{ identityType: 'user', identityId: '7', identityVersion: '', identityName: 'Ana' },
      ...{ purpose: 'access', description: null, alertAt: null },
      challenge: {
        id: expect.any(String),
        secret: expect.any(String),
        ...{ kind: 'short', details: null },
        tag: expect.any(String),
        expires: host.clock.ms + 600_000,
      },
    })
    await worker().deliverJob(job)
    expect(JSON.stringify(payload)).not.toContain(host.mailbox.code)
  })

  test('C4: a worker with a rotated secret still delivers, one without the old secret says so', async () => {
    await app()
    const { jar, job } = await waiting()
    const strange = worker({ secret: OTHER_SECRET })
    const error = await thrown(strange.deliverJob(job))
    expect(error).toMatchObject({ code: 'invalid_job' })
    expect(error.message).toContain('`secret`')
    expect(strange.published).toEqual([])
    expect(host.mailbox.received).toEqual([])

    await worker().deliverJob(job)
    await worker({ secret: [OTHER_SECRET, SECRET] }).deliverJob(job)
    const [before, after] = host.mailbox.received.map(codeIn)
    expect(after).toBe(before)
    expect(new Set(messageIds()).size).toBe(1)
    await guess(jar, after ?? '').expect(200)
  })
})

describe('a worker tells its queue whether to retry', () => {
  test.each<[string, SmtpScript, object]>([
    ['no such mailbox', { rcpt: '550 5.1.1 no' }, { outcome: 'refused', failureClass: 'recipient' }],
    ['a mailbox that stays full', { rcpt: '552 5.2.2 full' }, { outcome: 'refused', failureClass: 'mailbox-full' }],
    ['a message that is refused', { end: '554 5.6.0 spam' }, { outcome: 'unavailable', failureClass: 'content' }],
    ['a sender that is refused', { mail: '550 5.1.8 no' }, { outcome: 'unavailable', failureClass: 'sender' }],
  ])('%s is final', async (_what, script, end) => {
    await app()
    const { job } = await waiting()
    smtp = await ScriptedSmtp.listen(script)
    const otp = worker({}, smtp.url)
    expect(await otp.deliverJob(job)).toMatchObject({ ...end, reason: expect.stringMatching(/^E\w+ [A-Z ]+ 55\d/) })
    expect(otp.published).toMatchObject([{ type: 'undelivered', ...end, attempt: 1, retryIn: null }])
  })

  test.each<[string, SmtpScript, string]>([
    ['greylisting', { rcpt: '451 4.7.1 try again later' }, 'greylist'],
    ['a mailbox that is full for now', { rcpt: '452 4.2.2 full' }, 'mailbox-full'],
    ['a server that hangs up', { end: 'close' }, 'connect'],
    ['a server that sheds load', { greeting: '421 4.3.2 busy' }, 'connect'],
  ])('%s is worth a retry, which mails the same', async (_what, script, found) => {
    await app()
    const { jar, job } = await waiting()
    smtp = await ScriptedSmtp.listen(script)
    const otp = worker({}, smtp.url)
    const error = await thrown(otp.deliverJob(job))
    expect(error).toMatchObject({ name: 'OtpError', code: 'mail_failed', message: expect.stringContaining(found) })
    expect(inspect(error, { depth: null })).not.toContain(ANA.email)
    expect(otp.published).toMatchObject([{ type: 'undelivered', outcome: 'deferred', failureClass: found, retryIn: 0 }])
    smtp.script = {}
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'accepted' })
    const [lost, sent] = otp.published
    expect(sent).toMatchObject({ type: 'sent', mail: lost && 'mail' in lost && lost.mail })
    const code = /^(\d{6})\r?$/m.exec(smtp.messages.at(-1) ?? '')?.[1] ?? ''
    await guess(jar, code).expect(200)
  })

  test('a server that is not there is worth a retry', async () => {
    await app()
    const { job } = await waiting()
    const error = await thrown(worker({}, await ScriptedSmtp.goneUrl()).deliverJob(job))
    expect(error).toMatchObject({ code: 'mail_failed', message: expect.stringContaining('connect') })
  })

  test('a worker that is closing leaves its job to another one', async () => {
    await app()
    const { job } = await waiting()
    const otp = worker()
    await otp.close()
    expect(await thrown(otp.deliverJob(job))).toMatchObject({ code: 'mail_failed' })
    expect(await worker().deliverJob(job)).toEqual({ outcome: 'accepted' })
  })

  test('a mail is not sent in the last two minutes of its code', async () => {
    await app()
    const { job } = await waiting()
    const otp = worker()
    host.clock.tick(480)
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'accepted' })
    host.clock.tick(1)
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'expired' })
    expect(host.mailbox.received).toHaveLength(1)
    expect(otp.published[1]).toMatchObject({
      type: 'undelivered',
      outcome: 'unavailable',
      reason: 'expired',
      attempt: 0,
    })
  })

  test('but it has ten seconds, however short the lifetime of its code', async () => {
    await app({ lifetime: 60 })
    const { job } = await waiting()
    const otp = worker()
    host.clock.tick(10)
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'accepted' })
    host.clock.tick(1)
    expect(await otp.deliverJob(job)).toEqual({ outcome: 'expired' })
  })

  test('its events name user, purpose and mail, and neither code nor address', async () => {
    await app(LONG_CODE)
    const { jar, job } = await waiting({ id: 'the id of Ana', email: ANA.email })
    smtp = await ScriptedSmtp.listen({ rcpt: `451 4.7.1 ${ANA.email} later` })
    const otp = worker({}, smtp.url)
    await thrown(otp.deliverJob(job))
    smtp.script = {}
    await otp.deliverJob(job)
    const { body } = await jar.get('/2fa').set('Accept', 'application/json')
    const facts = {
      user: 'the id of Ana',
      purpose: 'access',
      tag: body.tag,
      mail: expect.stringMatching(/^[\da-f-]{36}$/),
      view: 'code',
      locale: 'en',
      attempt: 1,
      ms: expect.any(Number),
      messageId: expect.stringMatching(/^<[\w-]{22}@acme\.example>$/),
      at: host.clock.ms,
    }
    expect(otp.published).toEqual([
      {
        type: 'undelivered',
        outcome: 'deferred',
        ...facts,
        failureClass: 'greylist',
        reason: 'EENVELOPE RCPT TO 451 4.7.1',
        text: '451 4.7.1 ••• later',
        severity: 'info',
        advice: expect.any(String),
        retryIn: 0,
      },
      { type: 'sent', outcome: 'accepted', ...facts },
    ])
    const code = /^(\d{18})\r?$/m.exec(smtp.messages[0] ?? '')?.[1] ?? ''
    await guess(jar, code).expect(200)
    for (const secret of [code, ANA.email]) expect(inspect(otp.published)).not.toContain(secret)
  })

  test('the events of a mail to a typed address name no user', async () => {
    await app(TYPED)
    await send(host.jar(), { email: 'Ana@Example.COM' }).expect(200)
    await handedOver(1)
    expect(newest().address).toBe('Ana@example.com')
    const otp = worker()
    await otp.deliverJob(newest())
    expect(host.mailbox.last.to).toEqual(['Ana@example.com'])
    expect(otp.published).toMatchObject([{ type: 'sent', user: null, purpose: 'access' }])
  })
})

describe('S6: an app’s queue that does not take a mail', () => {
  const broken: [string, Deliver][] = [
    [
      'throws',
      () => {
        throw new Error('no queue')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no queue'))],
  ]

  test.each(broken)(
    'S6: one that %s is reported to a signed-in user, who may ask again at once',
    async (_how, deliver) => {
      let isBroken = true
      await app({ limits: { sendsPerUser: { capacity: 1 } } }, (job) => (isBroken ? deliver(job) : enqueue(job)))
      const jar = await host.signedIn()
      expect((await send(jar).expect(503)).body).toMatchObject({ code: 'mail_unavailable' })
      expect((await send(jar).expect(503)).body).toMatchObject({ code: 'mail_unavailable' })
      expect(host.events.slice(0, 3)).toMatchObject([
        { type: 'issued' },
        { type: 'failed', outcome: 'host_callback', error: { code: 'host_callback', cause: { message: 'no queue' } } },
        {
          type: 'undelivered',
          outcome: 'unavailable',
          failureClass: 'unknown',
          reason: 'mail.deliver',
          attempt: 0,
          view: 'code',
        },
      ])
      const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
      expect(page.text).toContain('The mail to a•••@example.com did not go out')
      isBroken = false
      host.clock.tick(1)
      await send(jar).expect(200)
      const after = await jar.get('/2fa').set(NAVIGATE).expect(200)
      expect(after.text).toContain('It is on its way to a•••@example.com.')
      await worker().deliverJob(newest())
      await guess(jar, host.mailbox.code).expect(200)
    },
  )

  test('S6: one that hangs leaves a signed-in user with "on its way" until it counts as failed', async () => {
    let isBroken = true
    const deliver: Deliver = (job) => (isBroken ? new Promise(() => undefined) : enqueue(job))
    await app({ limits: { sendsPerUser: { capacity: 1 } } }, deliver)
    const lost = next('undelivered')
    const jar = await host.signedIn()
    expect((await send(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
    host.clock.tick(5)
    expect(await lost).toMatchObject({ outcome: 'unavailable', reason: 'mail.deliver' })
    expect(host.events.map(({ type }) => type)).toEqual(['issued', 'failed', 'undelivered'])
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(page.text).toContain('The mail to a•••@example.com did not go out')
    isBroken = false
    await send(jar).expect(200)
    await worker().deliverJob(newest())
    await guess(jar, host.mailbox.code).expect(200)
  })

  test('S6: one that takes it ends the wait: we know nothing more', async () => {
    await app({ limits: { sendsPerUser: { capacity: 50 } } })
    // Were each to wait as long as for a mail server, these would take a minute.
    for (let i = 0; i < 20; i++) await waiting()
    expect(queue).toHaveLength(20)
  }, 30_000)
})

describe('S5: typed addresses and the app’s own queue', () => {
  /** Everything of a response that a client sees, without what is random in each one. */
  function seen({ status, headers, text }: Response): string {
    const { date, 'set-cookie': cookie, ...others } = headers as Record<string, unknown>
    const all = JSON.stringify([status, typeof date, typeof cookie, others, text])
    return all
      .replace(/notice=[\w-]+/g, 'NOTICE')
      .replace(/"tag\\":\\"[A-Z]{3}/g, 'TAG')
      .replace(/request [A-Z]{3}/g, 'TAG')
  }

  const hung: (() => void)[] = []
  afterEach(() => {
    for (const end of hung.splice(0)) end()
  })

  const deliveries: [string, Deliver, boolean][] = [
    ['taken', enqueue, true],
    ['not accepted', enqueue, false],
    [
      'thrown at',
      () => {
        throw new Error('no queue')
      },
      true,
    ],
    ['rejected', () => Promise.reject(new Error('no queue')), true],
    ['never answered', () => new Promise<void>((resolve) => hung.push(resolve)), true],
  ]

  test.each([
    ['pages', NAVIGATE],
    ['JSON', { Accept: 'application/json' }],
  ])('S5: %s are the same in every byte, whatever becomes of the job', async (_as, headers) => {
    const journeys: string[][] = []
    for (const [, deliver, isAccepted] of deliveries) {
      let calls = 0
      await app({ ...TYPED, typedEmail: { accept: () => isAccepted } }, (job) => {
        calls += 1
        return deliver(job)
      })
      const jar = host.jar()
      const form = (fields: object) => jar.post('/2fa/send').set(headers).type('form').send(fields)
      const answers = [await form({ email: ANA.email })]
      while (isAccepted && calls === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      answers.push(await jar.get('/2fa').set(headers), await form({}))
      host.clock.tick(31)
      answers.push(await form({}), await jar.get('/2fa').set(headers))
      for (const url of answers.flatMap((one) => one.get('Location') ?? []))
        answers.push(await jar.get(url).set(headers))
      journeys.push(answers.map(seen))
      if (deliver !== deliveries.at(-1)?.[1]) await host.close()
    }
    for (const journey of journeys) expect(journey).toEqual(journeys[0])
    expect(queue.map(({ address }) => address)).toEqual([ANA.email, ANA.email])
  })

  test('S5: the response is sent before the queue is called', async () => {
    const order: string[] = []
    let take: (job: MailJob) => void = () => undefined
    const taken = new Promise((resolve) => (take = resolve))
    const deliver: Deliver = (job) => {
      order.push('job')
      take(job)
    }
    const before: HostOptions['before'] = (all) =>
      void all.use((_req, res, go) => {
        res.once('finish', () => order.push('answer'))
        go()
      })
    await app(TYPED, deliver, { before })
    await send(host.jar(), { email: ANA.email }).expect(200)
    await taken
    expect(order).toEqual(['answer', 'job'])
  })

  test('S5: the queue gets no job for an address that `accept` refuses', async () => {
    await app({ ...TYPED, typedEmail: { accept: (email) => email !== 'eve@example.com' } })
    for (const email of ['eve@example.com', 'ana@example.com', 'eve@example.com', 'ben@example.com']) {
      await send(host.jar(), { email }).expect(200)
    }
    await host.otp.close() // which waits for what has not started
    expect(queue.map(({ address }) => address)).toEqual(['ana@example.com', 'ben@example.com'])
  })
})

test('jobs for typed addresses whose server is silent do not open the worker’s breaker', async () => {
  await app({ ...TYPED, limits: { sendsPerIp: { capacity: 100 } } })
  smtp = await ScriptedSmtp.listen({ rcpt: 'hang' })
  const transport = { host: '127.0.0.1', port: smtp.port, socketTimeout: 300 }
  const one = worker({ ...TYPED, mail: { transport, from: FROM } })
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
    await send(host.jar(), { email: `${name}@evil.example` }).expect(200)
  while (queue.length < 6) await new Promise((resolve) => setTimeout(resolve, 10))
  for (const job of queue) await one.deliverJob(job).catch(() => undefined)
  expect(one.published).toHaveLength(6)
  expect(one.health()).toMatchObject({ breaker: 'closed', lastError: 'connect' })
})
