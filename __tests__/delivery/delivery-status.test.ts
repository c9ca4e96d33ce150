import session from 'express-session'
import { guess } from '../helpers/guessing.js'
import { type Agent, ANA, BEN, Clock, HostApp, JSON_CLIENT, NAVIGATE, submit } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import { type MailJob, MemoryStore, type OtpOptions } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const TYPED: Partial<OtpOptions> = { user: () => null, limits: { sendsPerIp: { capacity: 1_000 } } }

const open: { close(): Promise<void> }[] = []
let host: HostApp
let smtp: ScriptedSmtp
beforeEach(async () => {
  smtp = await ScriptedSmtp.listen({})
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  await smtp.close()
})

async function app(otp: Partial<OtpOptions> = {}, more: object = {}): Promise<HostApp> {
  const one = await HostApp.start({ ...more, otp: { mail: { transport: smtp.url, from: FROM }, ...otp } })
  open.push(one)
  return one
}

async function against(script: SmtpScript, otp: Partial<OtpOptions> = {}): Promise<void> {
  smtp.script = script
  host = await app(otp)
}

const send = (jar: Agent, fields: object = {}) => jar.post('/2fa/send').send(fields)
const detailOf = ({ body }: { body: unknown }): string => (body as { detail: string }).detail
const stateOf = async (jar: Agent): Promise<unknown> => (await jar.get('/2fa').set(JSON_CLIENT).expect(200)).body
const pageOf = async (jar: Agent): Promise<string> => (await jar.get('/2fa').set(NAVIGATE)).text
const codes = (): string[] => smtp.messages.flatMap((message) => /^\d{6}(?=\r?$)/m.exec(message) ?? [])

test('page and JSON name a full mailbox at once, and tell it from another refusal', async () => {
  await against({ rcpt: '552 5.2.2 mailbox full' })
  expect(detailOf(await send(await host.signedIn()).expect(422))).toMatch(/that mailbox is full/)
  const page = await submit(await host.signedIn(BEN), '/2fa/send', {})
  expect(page.text).toMatch(/that mailbox is full/)
  smtp.script = { rcpt: '550 5.1.1 nobody' }
  expect(detailOf(await send(await host.signedIn()).expect(422))).toMatch(/does not accept mail for this address/)
})

test('S6: after a resend that failed the next one may go at once, and the page says so', async () => {
  await against({})
  const jar = await host.signedIn()
  await send(jar).expect(200)
  host.clock.tick(31)
  smtp.script = { end: '554 5.6.0 no' }
  await send(jar).expect(503)
  expect(await pageOf(jar)).toContain('data-wait="0"')
  expect(await stateOf(jar)).toMatchObject({ state: 'code', delivery: 'failed', resend_in: 0 })
  smtp.script = {}
  await send(jar).expect(200)
})

test('S6: another process, too, offers the field for the code of an earlier mail when a resend fails', async () => {
  const { now, tick } = boundClock()
  const store = new MemoryStore({ now })
  open.push({ close: () => store.close() })
  const sessions = { secret: 'x', resave: false, saveUninitialized: false, store: new session.MemoryStore() }
  host = await app({ store, now }, { session: session(sessions) })
  const other = await app({ store, now }, { session: session(sessions) })
  const jar = await host.signedIn()
  await send(jar).expect(200)
  const { cookies } = (await jar.post('/login').send({ user: ANA })).request as unknown as { cookies: string }
  tick(31)
  smtp.script = { end: '554 5.6.0 no' }
  await other.jar().post('/2fa/send').set('Cookie', cookies).send({}).expect(503)
  const page = await other.jar().get('/2fa').set('Cookie', cookies).set(NAVIGATE).expect(200)
  expect(page.text).toContain('name="code"')
  expect(page.text).toContain('did not go out')
  await other.jar().post('/2fa/verify').set('Cookie', cookies).send({ code: codes()[0] }).expect(200)
})

test('V7: no page asks for a long code that was never mailed', async () => {
  await against({}, { limits: { failures: { capacity: 2 } } })
  const jar = await host.signedIn()
  await send(jar).expect(200)
  for (let i = 0; i < 2; i++) await guess(jar, wrongCode(codes()[0] ?? '')).expect(422)
  host.clock.tick(31)
  smtp.script = { end: '554 5.6.0 no' }
  await send(jar).expect(503) // short codes are void, and the long one is lost
  expect(await stateOf(jar)).toMatchObject({ state: 'send', delivery: 'failed' })
  expect(await pageOf(jar)).not.toContain('name="code"')
})

test('a mail in the app’s own queue is not said to wait for our breaker', async () => {
  const queue: MailJob[] = []
  await against({}, { mail: { transport: smtp.url, from: FROM, deliver: (job) => void queue.push(job) } })
  const ana = await host.signedIn()
  await send(ana).expect(200)
  await send(await host.signedIn(BEN)).expect(200)
  const [first, second] = queue as [MailJob, MailJob]
  expect(await host.otp.deliverJob(first)).toEqual({ outcome: 'accepted' })
  smtp.script = { mail: '535 5.7.8 no' }
  await host.otp.deliverJob(second)
  expect(host.otp.health().breaker).toBe('open')
  expect(await pageOf(ana)).not.toContain('has not gone out yet')
})

test('L1: an attempt under way when the code is used ends as cancelled, not as an outage', async () => {
  const refusals: (() => void)[] = []
  const busy = Object.assign(new Error('no'), { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 450 })
  let isHeld = false
  let code = ''
  const sendMail = ({ text }: Record<string, unknown>): Promise<unknown> => {
    code = /^\d{6}$/m.exec(String(text))?.[0] ?? ''
    if (!isHeld) return Promise.resolve({ accepted: [ANA.email] })
    return new Promise((_, reject) => {
      refusals.push(() => {
        reject(busy)
      })
    })
  }
  await against({}, { mail: { transport: { sendMail }, from: FROM } })
  const jar = await host.signedIn()
  await send(jar).expect(200)
  host.clock.tick(31)
  isHeld = true
  const resend = send(jar).then((answer) => answer)
  while (refusals.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await guess(jar, code).expect(200)
  for (const refuse of refusals) refuse()
  await resend
  const lost = host.events.find(({ type }) => type === 'undelivered')
  expect(lost).toMatchObject({ outcome: 'cancelled', severity: 'info', retryIn: null })
})

test('a send whose session could not be saved mails nothing and costs nothing', async () => {
  const { now } = boundClock()
  const store = new MemoryStore({ now })
  open.push({ close: () => store.close() })
  const sessions = new session.MemoryStore()
  const set = sessions.set.bind(sessions)
  let isDown = false
  sessions.set = (id, data, done) => {
    if (isDown) done?.(new Error('down'))
    else set(id, data, done)
  }
  const cookie = session({ secret: 'x', resave: false, saveUninitialized: false, store: sessions })
  host = await app({ store, now, limits: { sendsPerUser: { capacity: 1 } } }, { session: cookie })
  const jar = await host.signedIn()
  isDown = true
  await send(jar).expect(503)
  isDown = false
  expect(smtp.messages).toHaveLength(0)
  await send(jar).expect(200)
})

test('S5: `accept` that hangs for addresses of a slow domain keeps no place in the queue', async () => {
  const accept = (email: string): boolean | Promise<boolean> =>
    email.endsWith('@slow.example') ? new Promise<boolean>(() => undefined) : true
  await against({}, { ...TYPED, typedEmail: { accept } })
  const hanging = Array.from({ length: 500 }, (_, i) => send(host.jar(), { email: `p${i}@slow.example` }))
  for (const { status, body } of await Promise.all(hanging))
    expect([status, (body as { code: string }).code]).toEqual([500, 'internal_error'])
  await send(host.jar(), { email: 'ana@example.com' }).expect(200)
}, 60_000)

function boundClock(): { now: () => number; tick: (seconds: number) => void } {
  const clock = new Clock()
  return {
    now: clock.now,
    tick: (seconds) => {
      clock.tick(seconds)
    },
  }
}
