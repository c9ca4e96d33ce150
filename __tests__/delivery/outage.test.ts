import { connect } from 'node:net'
import { inspect } from 'node:util'
import type { Express } from 'express'
import { guess } from '../helpers/guessing.js'
import { type Agent, ANA, BEN, Clock, HostApp, JSON_CLIENT, NAVIGATE, sealedIn, submit } from '../helpers/host-app.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import { MemoryStore, type OtpOptions } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'

let host: HostApp
let smtp: ScriptedSmtp
afterEach(async () => {
  await smtp.close()
  await host.close()
})

async function against(script: SmtpScript, otp: Partial<OtpOptions> = {}): Promise<void> {
  smtp = await ScriptedSmtp.listen(script)
  const after = (app: Express): void => {
    app.get('/slow', () => undefined) // an answer that never comes
  }
  host = await HostApp.start({ after, otp: { mail: { transport: smtp.url, from: FROM }, ...otp } })
}

const again = (jar: Agent) => jar.post('/2fa/send').send({})
const codes = (): string[] => smtp.messages.flatMap((message) => /^\d{6,18}(?=\r?$)/m.exec(message) ?? [])
const untilEvent = (type: 'sent' | 'undelivered' | 'breaker'): Promise<unknown> =>
  new Promise((resolve) => host.otp.events.once(type, resolve))

describe('while nothing can be sent', () => {
  test('S6: five users who ask during an outage are told so within three seconds, and it costs them nothing', async () => {
    // With a reply: if the server hangs up without one, nodemailer reconnects by itself. Meanwhile the wait of a user
    // could end before the next attempt, with the answer that the mail is on its way.
    await against({ greeting: '421 4.3.2 not now' }, { limits: { sendsPerUser: { capacity: 1 } } })
    const jars = await Promise.all(
      Array.from({ length: 5 }, (_, i) => host.signedIn({ id: `p${i}`, email: `p${i}@example.com` })),
    )
    const answers = await Promise.all(jars.map(again))
    expect(answers.map(({ status, body }) => [status, (body as { code: string }).code])).toEqual(
      Array(5).fill([503, 'mail_unavailable']),
    )
    for (const answer of answers) expect(answer.get('Retry-After')).toBe('15')
    smtp.script = {}
    host.clock.tick(15)
    for (const jar of jars) expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'sent' })
    expect(smtp.messages).toHaveLength(5) // nothing went out behind anybody's back
  }, 20_000)

  test('S5 and S6: during an outage no address is read, no store is asked, and Retry-After is true', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const accepted: string[] = []
    const accept = (email: string): boolean => accepted.push(email) > 0
    await against({ mail: '535 5.7.8 who are you' }, { store, now: clock.now, typedEmail: { accept } })
    await again(await host.signedIn()).expect(503)
    expect(host.otp.health()).toEqual({ queue: 0, breaker: 'open', lastError: 'auth', retryAfter: 15 })
    const asked: string[] = []
    store.open = () => Promise.reject(new Error(`asked ${asked.push('open')}`))
    store.spend = () => Promise.reject(new Error(`asked ${asked.push('spend')}`))
    clock.tick(4)
    const answers = [
      await again(await host.signedIn(BEN)),
      await host.jar().post('/2fa/send').send({ email: 'carl@example.com' }),
      await host.jar().post('/2fa/send').send({ email: 'no address' }),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(answer.body).toEqual({ ...(answers[0]?.body as object), code: 'mail_unavailable', retry_after: 11 })
      expect(answer.get('Retry-After')).toBe('11')
    }
    expect([asked, accepted]).toEqual([[], []])
    expect(smtp.connections).toBe(1)
    const refused = host.events.filter(({ type }) => type === 'refused')
    expect(refused).toMatchObject([
      { outcome: 'mail_breaker_open', user: 'u2' },
      { outcome: 'mail_breaker_open', user: null },
      { outcome: 'mail_breaker_open', user: null },
    ])
    await store.close()
  })

  test('S6: during an outage the page says when to try again, and a code that was mailed before still works', async () => {
    await against({})
    const jar = await host.signedIn()
    await again(jar).expect(200)
    smtp.script = { mail: '535 5.7.8 who are you' }
    await again(await host.signedIn(BEN)).expect(503)
    host.clock.tick(1)
    const page = (await jar.get('/secret').set(NAVIGATE)).get('Location') ?? ''
    const sealed = sealedIn((await jar.get(page).set(NAVIGATE)).text)
    const response = await submit(jar, '/2fa/send', { for: sealed })
    expect(response.text).toContain('We cannot send mail right now. Please try again in 14 seconds.')
    expect(response.text).toContain('name="code"') // the one that is out
    await guess(jar, codes()[0] ?? '').expect(200)
  })

  test('after the pause a check of the connection is the probe, and events report opening and closing', async () => {
    await against({ mail: '535 5.7.8 who are you' })
    const jar = await host.signedIn()
    await again(jar).expect(503)
    host.clock.tick(15)
    await again(jar).expect(503) // the login that it asks for with the mail is no part of the check
    expect(host.otp.health()).toMatchObject({ breaker: 'open', retryAfter: 60 })
    smtp.script = {}
    host.clock.tick(60)
    await again(jar).expect(200)
    expect(host.otp.health()).toMatchObject({ breaker: 'closed', retryAfter: 0 })
    expect(host.events.filter(({ type }) => type === 'breaker')).toMatchObject([
      { outcome: 'open', failureClass: 'auth', seconds: 15 },
      { outcome: 'closed', failureClass: null, seconds: 0 },
      { outcome: 'open', failureClass: 'auth', seconds: 60 },
      { outcome: 'closed', failureClass: null, seconds: 0 },
    ])
  })

  test('`otp.start()` reports a failed mail', async () => {
    smtp = await ScriptedSmtp.listen({ mail: '535 5.7.8 who are you' })
    host = await HostApp.start({
      otp: { mail: { transport: smtp.url, from: FROM } },
      after: (app, otp) =>
        void app.post('/start', (req, res, next) => void otp.start(req).then((result) => res.json(result), next)),
    })
    await again(await host.signedIn(BEN)).expect(503)
    const { body } = await (await host.signedIn()).post('/start').expect(200)
    expect(body).toEqual({ url: expect.stringContaining('/2fa?for=') as string, delivery: 'failed' })
  })

  test('after close() no mail is taken, and the user is told', async () => {
    await against({})
    await host.otp.close()
    await again(await host.signedIn()).expect(503)
    expect(host.events).toMatchObject([{ type: 'refused', outcome: 'mail_closed' }])
  })
})

test('S5: the 501st mail is rejected before anything is counted, and an event says so', async () => {
  await against(
    { greeting: 'hang' },
    { user: () => null, typedEmail: true, limits: { sendsPerIp: { capacity: 1_000 } } },
  )
  const ask = (i: number) =>
    host
      .jar()
      .post('/2fa/send')
      .send({ email: `p${i}@example.com` })
  for (let i = 0; i < 500; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => ask(i + j).expect(200)))
  while (host.otp.health().queue < 500) await new Promise((resolve) => setImmediate(resolve))
  const refused = await ask(500).expect(503)
  expect(refused.body).toMatchObject({ code: 'mail_unavailable', retry_after: 10 })
  expect(host.events.at(-1)).toMatchObject({ type: 'refused', outcome: 'mail_queue_full', user: null })
  expect(host.events.filter(({ type }) => type === 'issued')).toHaveLength(500)
}, 60_000)

test('S5: a response that is never read delays no mail', async () => {
  await against({}, { user: () => null, typedEmail: true })
  const body = JSON.stringify({ email: ANA.email })
  const post = `POST /2fa/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const socket = connect(Number(new URL(host.origin).port), '127.0.0.1')
  // Behind an answer that takes its time, so that the one to this stays unsent.
  socket.write(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${post}`)
  await smtp.until(() => smtp.messages.length === 1)
  socket.destroy()
  while (host.otp.health().queue > 0) await untilEvent('sent')
  expect(smtp.messages).toHaveLength(1)
}, 20_000)

test('S5: typing somebody’s address cancels no mail that its owner waits for', async () => {
  await against({ rcpt: '450 4.2.1 busy' }, { user: () => null, typedEmail: true })
  const [owner, other] = [host.jar(), host.jar()]
  for (const jar of [owner, other]) {
    const deferred = untilEvent('undelivered')
    await jar.post('/2fa/send').send({ email: ANA.email }).expect(200)
    await deferred
  }
  smtp.script = {}
  host.clock.tick(3)
  await smtp.until(() => smtp.messages.length === 2)
  const verified = await Promise.all(codes().map((code) => guess(owner, code)))
  expect(verified.map(({ status }) => status).sort()).toEqual([200, 422])
}, 20_000)

test('S6: two sessions of one user get two mails, and each code works in its session', async () => {
  await against({ rcpt: '450 4.2.1 busy' })
  const [one, two] = [await host.signedIn(), await host.signedIn()]
  for (const jar of [one, two]) expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
  smtp.script = {}
  host.clock.tick(3)
  await smtp.until(() => smtp.messages.length === 2)
  const verified = await Promise.all(codes().map((code) => guess(one, code)))
  expect(verified.map(({ status }) => status).sort()).toEqual([200, 422])
}, 20_000)

describe('S6: what happens after three seconds', () => {
  test('S6: an attempt that takes too long: the page asks whether the user is still there, and the send is refunded', async () => {
    await against({ end: 'trickle' }, { limits: { sendsPerUser: { capacity: 1 } } })
    const jar = await host.signedIn()
    const lost = untilEvent('undelivered')
    expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
    host.clock.tick(20)
    expect(await lost).toMatchObject({ outcome: 'unavailable', failureClass: 'aborted', retryIn: null })
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(page.text).toContain('Still there? The mail to a•••@example.com took too long. Send it again.')
    smtp.script = {}
    await again(jar).expect(200)
    expect(new Set(codes()).size).toBe(1)
  }, 40_000)

  test('S6: a code that was used in the meantime is not mailed again', async () => {
    await against({})
    const jar = await host.signedIn()
    await again(jar).expect(200)
    host.clock.tick(31)
    smtp.script = { rcpt: '450 4.2.1 busy' }
    await again(jar).expect(200)
    await guess(jar, codes()[0] ?? '').expect(200)
    expect(host.events.at(-1)).toMatchObject({ type: 'verified', seconds: 0 })
    expect(host.events.find((event) => 'failureClass' in event && event.outcome === 'cancelled')).toMatchObject({
      ...{ type: 'undelivered', reason: 'used', severity: 'info' },
    })
    smtp.script = {}
    host.clock.tick(60)
    await again(await host.signedIn(BEN)).expect(200)
    expect(smtp.recipients).toEqual([ANA.email, ANA.email, BEN.email])
  }, 20_000)

  test.each([
    ['starts over', 'restart'],
    ['has used up the guesses', 'exhaust'],
  ])(
    'S6: nor is the code of somebody who %s',
    async (_who, how) => {
      await against({ rcpt: '450 4.2.1 busy' })
      const jar = await host.signedIn()
      await again(jar).expect(200)
      if (how === 'restart') await jar.post('/2fa/restart').send({}).expect(200)
      else for (let i = 0; i < 5; i++) await guess(jar, '000000')
      expect(host.events.filter((event) => event.outcome === 'cancelled')).toHaveLength(1)
      expect(host.otp.health().queue).toBe(0)
    },
    20_000,
  )

  test('S6: a resend that fails leaves the field for the code that was mailed before', async () => {
    await against({})
    const jar = await host.signedIn()
    await again(jar).expect(200)
    host.clock.tick(31)
    smtp.script = { end: '554 5.6.0 no' }
    const lost = await submit(jar, '/2fa/send', {})
    expect(lost.text).toContain('name="code"')
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(page.text).toContain('did not go out')
    expect(page.text).toContain('name="code"')
    await guess(jar, codes()[0] ?? '').expect(200)
  })

  test('S6: a mail that failed does not change the status of the next one', async () => {
    await against({ end: '554 5.6.0 no' })
    const jar = await host.signedIn()
    await again(jar).expect(503)
    smtp.script = { end: 'hang' }
    expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
    expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ state: 'code', delivery: 'queued' })
  }, 20_000)

  test('S6: a mail that was never tried is not "on its way" while the breaker is open', async () => {
    const refusals: (() => void)[] = []
    const error = Object.assign(new Error('no'), { code: 'EAUTH', responseCode: 535, response: '535 5.7.8 bad' })
    const sendMail = () =>
      new Promise((_, reject) => {
        refusals.push(() => {
          reject(error)
        })
      })
    await against(
      {},
      { mail: { transport: Object.assign({ sendMail }, { options: { maxConnections: 1 } }), from: FROM } },
    )
    const [ana, ben] = [await host.signedIn(), await host.signedIn(BEN)]
    await Promise.all([again(ana), again(ben)])
    expect((await ben.get('/2fa').set(NAVIGATE)).text).toContain('It is on its way')
    const opened = untilEvent('breaker')
    refusals[0]?.() // it knew the password no more; the other mail was waiting for its turn
    await opened
    expect((await ben.get('/2fa').set(NAVIGATE)).text).toContain('has not gone out yet')
    expect(refusals).toHaveLength(1)
  }, 20_000)

  test('S6: a JSON client reads the delivery status from the state', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    const jar = await host.signedIn()
    const state = async () => (await jar.get('/2fa').set(JSON_CLIENT).expect(200)).body as unknown
    await again(jar).expect(200)
    expect(await state()).toMatchObject({ state: 'code', delivery: 'queued' })
    smtp.script = {}
    const sent = untilEvent('sent')
    host.clock.tick(3)
    await sent
    expect(await state()).toMatchObject({ state: 'code', delivery: 'sent' })
  }, 20_000)
})

test('C6 and L2: a server that quotes the mail back puts neither code nor address into an event', async () => {
  await against({}, { code: { digits: 18 } }) // so long that it stands nowhere by chance
  const jar = await host.signedIn()
  await again(jar).expect(200)
  const [code = ''] = codes()
  host.clock.tick(31)
  smtp.script = { end: `554 5.6.0 spam: "${code}" <ANA@Example.com> ana 8847219 ${code.split('').join(' ')}` }
  await again(jar).expect(503)
  const lost = host.events.find(({ type }) => type === 'undelivered')
  expect(lost).toMatchObject({ failureClass: 'content', text: '554 5.6.0 spam: "•••" <•••> ••• ••••' })
  expect(inspect(host.events)).not.toMatch(new RegExp(`${code}|ana|@example`, 'i'))
})

test('a failure that needs action is written to the console with its advice if nobody listens', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined)
  await against({ mail: '535 5.7.8 who are you' })
  host.otp.events.removeAllListeners('undelivered')
  await again(await host.signedIn()).expect(503)
  const [line = ''] = error.mock.calls.map(String)
  error.mockRestore()
  expect(line).toBe(
    'express-email-otp: a mail was not sent (auth: EENVELOPE MAIL FROM 535 5.7.8). ' +
      'The mail server refused the login. Check user and password of `mail.transport`.',
  )
})
