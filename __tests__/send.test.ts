import { readFileSync } from 'node:fs'
import path from 'node:path'
import session from 'express-session'
import request, { type Response } from 'supertest'
import { cookieOf } from './helpers/guessing.js'
import type * as HostModule from './helpers/host-app.js'
import {
  ANA,
  BROWSER,
  type Agent,
  Clock,
  HostApp,
  type HostOptions,
  JSON_CLIENT,
  NAVIGATE,
  sealedIn,
} from './helpers/host-app.js'
import { codeIn } from './helpers/mailbox.js'
import { ScriptedSmtp, type SmtpScript } from './helpers/smtp-script.js'
import { clientNetwork } from '../src/http/request/ip-limit.js'
import { type MailTransporter, MemoryStore, type OpenRequest, type OtpOptions } from '../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }

let host: HostApp
let smtp: ScriptedSmtp | null = null
afterEach(async () => {
  await smtp?.close()
  smtp = null
  await host.close()
})

const typed = async (more: Partial<OtpOptions> = {}, rest: HostOptions = {}): Promise<HostApp> => {
  host = await HostApp.start({ ...rest, otp: { ...TYPED, ...more } })
  return host
}
const ask = (jar: Agent, email: unknown) => jar.post('/2fa/send').send({ email })
const again = (jar: Agent) => jar.post('/2fa/send').send({})

describe('limits on sending', () => {
  test('S1: twenty browsers of one user get five mails', async () => {
    host = await HostApp.start()
    const statuses: number[] = []
    for (let i = 0; i < 20; i++) statuses.push((await again(await host.signedIn())).status)
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(429)])
    expect(host.mailbox.received).toHaveLength(5)
  })

  test('S1: after that a user gets fifteen mails a day, one every 5 760 seconds', async () => {
    host = await HostApp.start()
    for (let i = 0; i < 5; i++) await again(await host.signedIn()).expect(200)
    for (let hour = 0; hour < 24; hour++) {
      for (let quarter = 0; quarter < 4; quarter++) {
        host.clock.tick(900)
        await again(await host.signedIn())
      }
    }
    expect(host.mailbox.received).toHaveLength(5 + 15)
  })

  test('S1: a resend waits for 30 seconds, and Retry-After is true to the second', async () => {
    host = await HostApp.start()
    const { jar } = await host.asked()
    host.clock.tick(7)
    const soon = await again(jar).expect(429)
    expect(soon.body).toMatchObject({ code: 'too_many_requests', retry_after: 23 })
    expect(soon.get('Retry-After')).toBe('23')
    host.clock.tick(22)
    await again(jar).expect(429)
    host.clock.tick(1)
    await again(jar).expect(200)
    expect(host.mailbox.received).toHaveLength(2)
  })

  test('S1: Retry-After of the user’s own limit is true to the second as well', async () => {
    host = await HostApp.start()
    for (let i = 0; i < 5; i++) await again(await host.signedIn()).expect(200)
    const jar = await host.signedIn()
    const wait = Number((await again(jar).expect(429)).get('Retry-After'))
    expect(wait).toBe(5_760)
    host.clock.tick(wait - 1)
    await again(jar).expect(429)
    host.clock.tick(1)
    await again(jar).expect(200)
  })

  test('S1: when no more mails go out, a code that is out already still works', async () => {
    host = await HostApp.start({ otp: { limits: { sendsPerUser: { capacity: 1 } } } })
    const { jar, code } = await host.asked()
    host.clock.tick(31)
    await again(jar).expect(429)
    await jar.post('/2fa/verify').send({ code }).expect(200)
  })

  test('S1: one client may ask for thirty typed addresses, and for one more every two minutes', async () => {
    await typed()
    for (let i = 0; i < 30; i++) await ask(host.jar(), `person${i}@example.com`).expect(200)
    const refused = await ask(host.jar(), 'late@example.com').expect(429)
    expect(refused.get('Retry-After')).toBe('120')
    host.clock.tick(120)
    await ask(host.jar(), 'late@example.com').expect(200)
    expect(host.events.filter(({ type }) => type === 'throttled')).toMatchObject([{ outcome: 'sendsPerIp' }])
  })

  test('S1: an office behind one client address gets in: users who are signed in have no such limit', async () => {
    host = await HostApp.start({ otp: { limits: { sendsPerIp: { capacity: 1 } } } })
    for (let i = 0; i < 5; i++) {
      await again(await host.signedIn({ id: i, email: `colleague${i}@example.com` })).expect(200)
    }
  })

  test.each([
    ['2001:db8:1:ab00::1', '2001:db8:1:abff:1:2:3:4', true],
    ['2001:db8:1:ab00::1', '2001:db8:1:ac00::1', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['fe80::1%eth0', 'fe80::1', true],
    ['::ffff:192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::', '2001:db8:0:0:ffff::', true],
  ])('S1: %s and %s are one client: %s', (a, b, isSame) => {
    expect(clientNetwork(a) === clientNetwork(b)).toBe(isSame)
  })

  test('S2: letter case and white space of a typed address make no second bucket', async () => {
    await typed()
    const forms = ['ana@example.com', 'ANA@example.com', ' ana@Example.COM ', 'Ana@EXAMPLE.com', 'aNa@example.com\n']
    for (const form of forms) await ask(host.jar(), form).expect(200)
    await ask(host.jar(), 'anA@example.com').expect(429)
    await ask(host.jar(), 'ａｎａ@example.com').expect(422)
    await ask(host.jar(), 'ben@example.com').expect(200)
  })

  test('S2: an IDN domain and its A-label are one bucket', async () => {
    await typed({ limits: { sendsPerUser: { capacity: 1 } } })
    await ask(host.jar(), 'x@exämple.com').expect(200)
    await ask(host.jar(), 'x@xn--exmple-cua.com').expect(429)
  })

  test('S2: a junk address beside the code changes nothing', async () => {
    await typed()
    const jar = host.jar()
    await ask(jar, 'ana@example.com').expect(200)
    const [mail] = await host.mailbox.mails(1)
    if (!mail) throw new Error('no mail')
    const code = codeIn(mail)
    const done = await jar.post('/2fa/verify').send({ code, email: 'evil@example.com' }).expect(200)
    expect(done.body).toMatchObject({ verified: true })
    expect(host.mailbox.received).toHaveLength(1)
  })

  test.each([[false], [true]])(
    'S3: with `trust proxy` %s, forged X-Forwarded-For headers gain nothing they should not',
    async (trust) => {
      const limits = { sendsPerIp: { capacity: 2 } }
      await typed({ limits }, { before: (app) => void app.set('trust proxy', trust) })
      const statuses: number[] = []
      for (let i = 0; i < 4; i++) {
        const asked = await ask(host.jar(), `p${i}@example.com`).set('X-Forwarded-For', `198.51.100.${i}`)
        statuses.push(asked.status)
      }
      expect(statuses).toEqual(trust ? [200, 200, 200, 200] : [200, 200, 429, 429])
    },
  )

  test('S3: a host that trusts every proxy, or none behind one, is warned once in a process', async () => {
    const warn = jest.spyOn(process, 'emitWarning')
    // A fresh copy of the plugin, since the copy above has warned already.
    jest.resetModules()
    const fresh = jest.requireActual<typeof HostModule>('./helpers/host-app.js')
    host = await fresh.HostApp.start({ otp: TYPED })
    for (let i = 0; i < 3; i++) {
      await ask(host.jar(), `p${i}@example.com`).set('X-Forwarded-For', '198.51.100.7').expect(200)
    }
    const ours = warn.mock.calls.map(String).filter((text) => text.includes('X-Forwarded-For'))
    warn.mockRestore()
    expect(ours).toHaveLength(1)
    expect(ours[0]).toContain('Set it to the number of proxies or to their addresses.')
  })

  test('S4: fifty GETs and HEADs of our page, of our POST routes and of a guarded page send nothing', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const page = (await jar.get('/secret').set(NAVIGATE).expect(303)).get('Location') ?? ''
    for (let i = 0; i < 50; i++) {
      await jar.get(page).set(NAVIGATE).expect(200)
      await jar.get('/secret').set(NAVIGATE).expect(303)
      await jar.head('/2fa').set(NAVIGATE).expect(200)
      await jar.get('/2fa/send').set(NAVIGATE).expect(303)
    }
    expect(host.mailbox.received).toEqual([])
    expect(host.events).toEqual([])
  })
})

describe('S5: typed addresses', () => {
  const kinds = ['accepted', 'not accepted', 'bounced'] as const

  /** Everything of a response that a client sees, without what is random in each one. */
  function seen(response: Response, address: string): string {
    const { 'set-cookie': cookie, ...headers } = response.headers as Record<string, unknown>
    delete headers.date
    const lines = JSON.stringify([response.status, cookie === undefined, headers, response.text])
    return lines
      .replace(/"tag\\":\\"[A-Z]{3}/g, 'TAG')
      .replace(/request [A-Z]{3}/g, 'TAG')
      .replace(/for(=|\\" value=\\")[\w-]+/g, 'FOR')
      .replaceAll(address, 'ADDRESS')
  }

  async function journey(kind: (typeof kinds)[number], asPage: boolean): Promise<string[]> {
    const isBounced = kind === 'bounced'
    smtp = await ScriptedSmtp.listen(isBounced ? { rcpt: '550 5.1.1 no such user' } : {})
    const mail = { transport: smtp.url, from: FROM }
    await typed({ mail, typedEmail: { accept: () => kind !== 'not accepted' } })
    const jar = host.jar()
    const headers = asPage ? NAVIGATE : { Accept: 'application/json' }
    const page = (await jar.get('/secret').set(NAVIGATE)).get('Location') ?? ''
    const sealed = sealedIn((await jar.get(page).set(NAVIGATE)).text)
    const post = (route: string, fields: object) =>
      asPage
        ? jar
            .post(`/2fa/${route}`)
            .set(headers)
            .type('form')
            .send({ for: sealed, ...fields })
        : jar
            .post(`/2fa/${route}`)
            .set(headers)
            .send({ for: sealed, ...fields })
    const answers = [await post('send', { email: 'ana@example.com' })]
    // What became of the mail is known to us by now, and must not be known to the person at the keyboard.
    if (kind === 'accepted') await smtp.until(() => smtp?.messages.length === 1)
    if (isBounced) await smtp.until(() => smtp?.recipients.length === 1)
    answers.push(await jar.get(page).set(headers))
    answers.push(await post('send', {}))
    host.clock.tick(31)
    answers.push(await post('send', {}), await post('verify', { code: '00000000' }))
    answers.push(await jar.get(page).set(headers), await post('restart', {}))
    const mailed = smtp.messages.length
    if (kind === 'accepted') await smtp.until(() => smtp?.messages.length === 2)
    else expect(mailed).toBe(0)
    if (kind === 'not accepted') expect(smtp.connections).toBe(0)
    return answers.map((answer) => seen(answer, 'a•••@example.com'))
  }

  test.each([
    ['pages', true],
    ['JSON', false],
  ])('S5: %s say the same in every byte for accepted, not accepted and bounced', async (_as, asPage) => {
    const journeys: string[][] = []
    for (const kind of kinds) {
      journeys.push(await journey(kind, asPage))
      if (kind === 'bounced') continue
      await smtp?.close()
      await host.close()
    }
    expect(journeys[1]).toEqual(journeys[0])
    expect(journeys[2]).toEqual(journeys[0])
    expect(journeys[0]?.[0]).toContain(asPage ? '303' : 'queued')
  })

  // Sampled times would say more about the machine than about us; what makes them equal is asserted instead.
  test.each([
    ['never greets', { greeting: 'hang' }],
    ['hangs up at once', { greeting: 'close' }],
    ['hangs after the message', { end: 'hang' }],
  ] satisfies [string, SmtpScript][])('S5: the answer waits for no mail server: one that %s', async (_how, script) => {
    smtp = await ScriptedSmtp.listen(script)
    await typed({
      mail: { transport: { host: '127.0.0.1', port: smtp.port, socketTimeout: 500 }, from: FROM },
    })
    let connectionsBefore = -1
    host.otp.events.on('issued', () => (connectionsBefore = smtp?.connections ?? -1))
    const { body } = await ask(host.jar(), 'ana@example.com').expect(200)
    expect(connectionsBefore).toBe(0)
    expect(body).toMatchObject({ delivery: 'queued' })
    await smtp.until(() => (smtp?.connections ?? 0) > 0)
  })

  test('S5: the answer is on its way before the transport is called', async () => {
    const order: string[] = []
    const transport: MailTransporter = {
      sendMail: () => {
        order.push('mail')
        return Promise.resolve({ accepted: ['ana@example.com'] })
      },
    }
    await typed(
      { mail: { transport, from: FROM } },
      {
        before: (app) =>
          void app.use((_req, res, next) => {
            const end = res.end.bind(res)
            res.end = ((...args: Parameters<typeof end>) => {
              order.push('answer')
              return end(...args)
            }) as typeof res.end
            next()
          }),
      },
    )
    const sent = new Promise((resolve) => host.otp.events.once('sent', resolve))
    await ask(host.jar(), 'ana@example.com').expect(200)
    await sent
    expect(order).toEqual(['answer', 'mail'])
  })

  test('S5: a bounced mail gives nothing back: a budget that shrinks only for real mailboxes would tell', async () => {
    smtp = await ScriptedSmtp.listen({ rcpt: '550 5.1.1 no such user' })
    await typed({ mail: { transport: smtp.url, from: FROM }, limits: { sendsPerUser: { capacity: 1 } } })
    const undelivered = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    await ask(host.jar(), 'ana@example.com').expect(200)
    await undelivered
    await ask(host.jar(), 'ana@example.com').expect(429)
  })

  test.each([
    ['accepted', true],
    ['not accepted', false],
  ])('S5: an address that is %s has a code that redeems its challenge: %s', async (_what, isAccepted) => {
    const requests: OpenRequest[] = []
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const open = store.open.bind(store)
    store.open = (request) => {
      requests.push(request)
      return open(request)
    }
    await typed({ store, typedEmail: { accept: () => isAccepted } })
    const jar = host.jar()
    await ask(jar, 'eve@example.com').expect(200)
    clock.tick(31)
    await ask(jar, 'eve@example.com').expect(200)
    const [first, second] = requests
    expect(second?.existing?.id).toBe(first?.fresh.id)
    // A digest that comes out the same again is that of the one code; for nobody's mail there is no such code.
    expect(second?.existing?.short === first?.fresh.short).toBe(isAccepted)
    expect(second?.existing?.long === first?.fresh.long).toBe(isAccepted)
    await store.close()
  })

  test('S5: an `accept` that answers anything but true sends nothing', async () => {
    const answers: unknown[] = [1, 'yes', {}, undefined]
    const accept = (() => Promise.resolve(answers.shift())) as () => Promise<boolean>
    await typed({ typedEmail: { accept } })
    for (let i = 0; i < 4; i++) await ask(host.jar(), `p${i}@example.com`).expect(200)
    await new Promise((resolve) => setImmediate(resolve))
    expect(host.events.filter(({ type }) => type === 'refused')).toHaveLength(4)
    expect(host.mailbox.received).toEqual([])
  })
})

describe('S6: a mail that failed', () => {
  async function against(script: SmtpScript): Promise<Agent> {
    smtp = await ScriptedSmtp.listen(script)
    host = await HostApp.start({
      otp: { mail: { transport: smtp.url, from: FROM }, limits: { sendsPerUser: { capacity: 1 } } },
    })
    return host.signedIn()
  }
  const codeOf = (message: string | undefined): string => /^\d{6}$/m.exec(message ?? '')?.[0] ?? ''

  const failures: [string, SmtpScript, string, number][] = [
    ['554 as greeting', { greeting: '554 5.7.1 go away' }, 'mail_unavailable', 503],
    ['550 to the sender', { mail: '550 5.7.60 not you' }, 'mail_unavailable', 503],
    ['550 to the recipient', { rcpt: '550 5.1.1 no such user' }, 'mail_refused', 422],
    ['551 to the recipient', { rcpt: '551 5.1.6 moved' }, 'mail_refused', 422],
    ['553 to the recipient', { rcpt: '553 5.1.3 bad mailbox' }, 'mail_refused', 422],
    ['a full mailbox', { rcpt: '552 5.2.2 over quota' }, 'mail_refused', 422],
    ['554 after the message', { end: '554 5.6.0 looks like spam' }, 'mail_unavailable', 503],
    ['552 after the message', { end: '552 5.3.4 too big' }, 'mail_unavailable', 503],
  ]

  test.each(failures)('S6: %s is told, and gives the send and the pause back', async (_how, script, code, status) => {
    const jar = await against(script)
    for (let i = 0; i < 7; i++) {
      const failed = await again(jar).expect(status)
      expect(failed.body).toMatchObject({ code, status })
      expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ state: 'send', delivery: 'failed' })
    }
    if (smtp) smtp.script = {}
    host.clock.tick(16) // whoever blocks us is left alone for a while
    await again(jar).expect(200)
    await jar
      .post('/2fa/verify')
      .send({ code: codeOf(smtp?.messages.at(-1)) })
      .expect(200)
  })

  const passing: [string, SmtpScript, string][] = [
    ['421 as greeting', { greeting: '421 4.3.2 not now' }, 'connect'],
    ['a connection that closes at once', { greeting: 'close' }, 'connect'],
    ['451 to the recipient', { rcpt: '451 4.7.1 try again later' }, 'greylist'],
    ['a recipient that is refused by hanging up', { rcpt: 'close' }, 'connect'],
    ['554 before the message', { data: '554 5.5.1 no' }, 'unknown'],
    ['451 after the message', { end: '451 4.3.0 disk full' }, 'greylist'],
    ['a connection that closes after the message', { end: 'close' }, 'connect'],
  ]

  test.each(passing)(
    'S6: %s may pass: it is tried again with the same code, and the page says so meanwhile',
    async (_how, script, kind) => {
      const jar = await against(script)
      expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
      const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
      expect(page.text).toContain('has not gone out yet. We keep trying for a few minutes')
      expect(host.events.filter(({ type }) => type === 'undelivered')).toMatchObject([
        { outcome: 'deferred', failureClass: kind, attempt: 1, retryIn: expect.any(Number) as number },
      ])
      if (smtp) smtp.script = {}
      const sent = new Promise((resolve) => host.otp.events.once('sent', resolve))
      host.clock.tick(3)
      expect(await sent).toMatchObject({ attempt: 2 })
      expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ delivery: 'sent' })
      const code = codeOf(smtp?.messages.at(-1))
      expect(smtp?.messages.map(codeOf)).toEqual(smtp?.messages.map(() => code))
      await jar.post('/2fa/verify').send({ code }).expect(200)
    },
    20_000,
  )

  test.each(failures.filter(([how]) => /^5(50|54)/.test(how)))('S6: %s is told on the page too', async (...row) => {
    const [, script, code, status] = row
    const jar = await against(script)
    const page = (await jar.get('/secret').set(NAVIGATE)).get('Location') ?? ''
    const sealed = sealedIn((await jar.get(page).set(NAVIGATE)).text)
    const failed = await jar.post('/2fa/send').set(NAVIGATE).type('form').send({ for: sealed }).expect(status)
    const text = code === 'mail_refused' ? 'does not accept mail for this address' : 'cannot send mail right now'
    expect(failed.text).toContain(text)
    expect(failed.text).toContain('Mail me a new code')
    expect(failed.text).not.toContain('ana@example.com')
    const reloaded = await jar.get(page).set(NAVIGATE).expect(200)
    expect(reloaded.text).toContain('The mail to a•••@example.com did not go out')
  })

  test('S6: the next mail carries the same code and Message-ID: the challenge stayed', async () => {
    const jar = await against({ end: '554 5.6.0 looks like spam' })
    await again(jar).expect(503)
    await again(jar).expect(503)
    if (smtp) smtp.script = {}
    await again(jar).expect(200)
    const ids = smtp?.messages.map((message) => /^Message-ID: (.*)$/im.exec(message)?.[1])
    const codes = smtp?.messages.map(codeOf)
    expect(codes?.[0]).toMatch(/^\d{6}$/)
    expect(codes).toEqual(Array(3).fill(codes?.[0]))
    expect(ids).toEqual(Array(3).fill(ids?.[0]))
  })

  test('S6: but not without end: a mailbox that refuses everything opens a bounded number of challenges', async () => {
    const jar = await against({ rcpt: '550 5.1.1 no such user' })
    const statuses: number[] = []
    for (let i = 0; i < 30; i++) {
      await jar.post('/2fa/restart').send({}).expect(200)
      statuses.push((await again(jar)).status)
    }
    expect(statuses.filter((status) => status === 422)).toHaveLength(21) // 20 that cost nothing, and the one send
    expect(statuses.slice(21)).toEqual(Array(9).fill(429))
  })

  test('S6: a code whose mail was reported as failed but came still verifies', async () => {
    const jar = await against({ end: '554 5.6.0 taken all the same' })
    await again(jar).expect(503)
    await jar
      .post('/2fa/verify')
      .send({ code: codeOf(smtp?.messages[0]) })
      .expect(200)
  })

  test('S6: behind a server that hangs the person reads "on its way"; the later failure is told and gives the send back', async () => {
    smtp = await ScriptedSmtp.listen({ end: 'hang' })
    const transport = { host: '127.0.0.1', port: smtp.port, socketTimeout: 6_000 }
    host = await HostApp.start({
      otp: { mail: { transport, from: FROM }, limits: { sendsPerUser: { capacity: 1 } } },
    })
    const jar = await host.signedIn()
    const failed = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    const { body } = await again(jar).expect(200)
    expect(body).toMatchObject({ delivery: 'queued' })
    const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(page.text).toContain('It is on its way to a•••@example.com.')
    smtp.script = { end: '554 5.6.0 no' }
    expect(await failed).toMatchObject({ outcome: 'deferred', failureClass: 'connect' })
    const lost = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    host.clock.tick(10)
    expect(await lost).toMatchObject({ outcome: 'unavailable', failureClass: 'content' })
    const late = await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(late.text).toContain('The mail to a•••@example.com did not go out. Send it again.')
    expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ state: 'send', delivery: 'failed' })
    smtp.script = {}
    await again(jar).expect(200)
    expect(codeOf(smtp.messages.at(-1))).toBe(codeOf(smtp.messages[0]))
  }, 20_000)

  test('S6: a mail that failed at one process and went out at another is not told as failed by the first', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const sessions = session({ secret: 'test', resave: false, saveUninitialized: false })
    smtp = await ScriptedSmtp.listen({ rcpt: '550 5.1.1 no' })
    const mail = { transport: smtp.url, from: FROM }
    host = await HostApp.start({ otp: { store, now: clock.now, mail }, session: sessions })
    const other = await HostApp.start({ otp: { store, now: clock.now }, session: sessions })
    try {
      const cookie = cookieOf(await request(host.origin).post('/login').send({ user: ANA }))
      const at = (one: HostApp) => request.agent(one.origin).set('Cookie', cookie).set(JSON_CLIENT)
      await at(host).post('/2fa/send').send({}).expect(422)
      expect((await at(host).get('/2fa')).body).toMatchObject({ state: 'send', delivery: 'failed' })
      clock.tick(1)
      await at(other).post('/2fa/send').send({}).expect(200)
      for (const one of [other, host]) {
        expect((await at(one).get('/2fa')).body).toMatchObject({ state: 'code', delivery: 'sent' })
      }
    } finally {
      await other.close()
      await store.close()
    }
  })

  test('S6: a mail that comes after the answer said "on its way" works', async () => {
    const held: (() => void)[] = []
    const transport: MailTransporter = {
      sendMail: (message) => {
        texts.push(String(message.text))
        return new Promise((resolve) => {
          held.push(() => {
            resolve({ accepted: [ANA.email] })
          })
        })
      },
    }
    const texts: string[] = []
    host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    const jar = await host.signedIn()
    expect((await again(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
    const sent = new Promise((resolve) => host.otp.events.once('sent', resolve))
    held[0]?.()
    expect(await sent).toMatchObject({ outcome: 'accepted', user: 'u1' })
    await jar
      .post('/2fa/verify')
      .send({ code: codeOf(texts[0]) })
      .expect(200)
  }, 20_000)
})

describe('addresses', () => {
  const LONG_DOMAIN = `${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.museum`

  const hostile: [string, unknown][] = [
    ['two with a comma', 'a@x.example,b@y.example'],
    ['two with a semicolon', 'a@x.example;b@y.example'],
    ['two with a space', 'a@x.example b@y.example'],
    ['a quoted address inside', '"b@y.example x"@x.example'],
    ['a quoted local part', '"b@y.example"@x.example'],
    ['an address before angle brackets', 'b@y.example <a@x.example>'],
    ['an address inside angle brackets', 'a@x.example <b@y.example>'],
    ['a group', 'g: a@x.example;'],
    ['a header line', 'a@x.example\r\nBcc: b@y.example'],
    ['a bare line feed', 'a@x.example\nb@y.example'],
    ['a comment', 'a(c)@x.example'],
    ['angle brackets first', '<a@x.example>b@y.example'],
    ['a full-width at sign', 'a＠y.example'],
    ['a dotless i', 'ıa@x.example'],
    ['two at signs', 'a@b@c.example'],
    ['a bracket at the end', 'a@x.example>'],
    ['a source route', '@x.example:b@y.example'],
    ['an address literal', 'a@[127.0.0.1]'],
    ['a NUL', 'a@x.example\0'],
    ['an encoded word', '=?utf-8?q?b=40y.example=2C?=@x.example'],
    ['blank', '   '],
    ['nothing', ''],
    ['an array', ['a@x.example', 'b@y.example']],
    ['an object', { address: 'a@x.example' }],
    ['a number', 7],
    ['null', null],
    ['true', true],
    ['a percent-encoded domain', 'a@x%2eexample'],
    ['a bare IP address', 'a@127.0.0.1'],
    ['a display name', 'Ana a@x.example'],
  ]

  test.each(hostile)('A1: %s is refused and no mail server hears of it', async (_what, email) => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    const asJson = await ask(host.jar(), email)
    expect(asJson.status).toBe(typeof email === 'string' ? 422 : 400)
    expect(asJson.body.code).toBe(typeof email === 'string' ? 'invalid_email' : 'bad_request')
    if (typeof email === 'string') {
      await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send({ email }).expect(422)
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(smtp.connections).toBe(0)
    expect(host.events).toEqual([])
  })

  test.each(['email=a@x.example&email=b@y.example', 'email[]=a@x.example', 'email[a]=b@y.example', 'email.a=b'])(
    'A1: the form body %s is refused',
    async (body) => {
      await typed()
      const asked = await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send(body)
      expect(asked.status).toBe(400)
      expect(host.events).toEqual([])
    },
  )

  test.each([
    ['64 octets before the at sign', `${'a'.repeat(64)}@example.com`, 200],
    ['65 octets before the at sign', `${'a'.repeat(65)}@example.com`, 422],
    ['254 octets in all', `${'a'.repeat(64)}@${LONG_DOMAIN}`, 200],
    ['255 octets in all', `${'a'.repeat(64)}@x${LONG_DOMAIN}`, 422],
  ])('A2: %s', async (_what, email, status) => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    const done = new Promise((resolve) => {
      for (const type of ['sent', 'undelivered'] as const) host.otp.events.once(type, resolve)
    })
    await ask(host.jar(), email).expect(status)
    if (status === 200) expect(await done).toMatchObject({ type: 'sent' })
    expect(smtp.recipients).toEqual(status === 200 ? [email] : [])
  })

  test('A2: an IDN domain goes out as its A-label, the local part as it was typed', async () => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    await ask(host.jar(), 'X.Y+z@EXÄMPLE.com').expect(200)
    await smtp.until(() => smtp?.messages.length === 1)
    expect(smtp.recipients).toEqual(['X.Y+z@xn--exmple-cua.com'])
  })

  test.each<[string, unknown]>([
    ['another address', { accepted: ['evil@example.com'] }],
    ['this one and another', { accepted: ['ana@example.com', 'evil@example.com'] }],
    ['nobody', { accepted: [] }],
    ['nothing', undefined],
    ['null', null],
    ['text', { accepted: 'ana@example.com' }],
  ])('A3: a transport that reports %s as accepted has failed', async (_what, info) => {
    const transport: MailTransporter = { sendMail: () => Promise.resolve(info) }
    host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    await again(await host.signedIn()).expect(503)
    expect(host.events).toMatchObject([{ type: 'issued' }, { type: 'undelivered', outcome: 'unavailable' }])
  })

  test('A3: nodemailer is given one recipient as an object, never as text that it would parse', async () => {
    const given: unknown[] = []
    const transport: MailTransporter = {
      sendMail: (message) => {
        given.push(message.to)
        return Promise.resolve({ accepted: [ANA.email] })
      },
    }
    host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    await again(await host.signedIn()).expect(200)
    expect(given).toEqual([{ name: '', address: ANA.email }])
  })

  test('A5: nothing of a hostile request stands in the mail', async () => {
    host = await HostApp.start()
    const evil = '"><script>evil</script>'
    const jar = await host.signedIn({ ...ANA, name: `Ana ${evil}` })
    await jar
      .post(`/2fa/send?evil=${encodeURIComponent(evil)}`)
      .set('User-Agent', `evil ${evil}`)
      .set('Host', 'evil.example')
      .set('X-Forwarded-Host', 'evil.example')
      .set('X-Forwarded-For', 'evil')
      .set('Referer', 'https://evil.example/')
      .send({ email: 'evil@evil.example', name: evil, purpose: 'evil' })
      .expect(200)
    expect(host.mailbox.last.raw).not.toMatch(/evil/i)
    expect(`${host.mailbox.last.mail.text}${String(host.mailbox.last.mail.html)}`).not.toMatch(/evil/i)
  })

  test('A5: the host’s description is escaped in HTML and one plain line in text', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const payee = '<img src=x onerror=alert(1)>\r\n\r\nBcc: evil@example.com \u202Egnp'
    const shut = await jar.post('/transfer').send({ amount: '7', payee }).expect(401)
    await jar.post('/2fa/send').send({ for: shut.body.for }).expect(200)
    const { mail, to } = host.mailbox.last
    expect(to).toEqual([ANA.email])
    expect(String(mail.html)).toContain('&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt; Bcc: evil@example.com gnp')
    expect(String(mail.html)).not.toContain('<img')
    expect(mail.text?.replace(/\n/g, ' ')).toContain('<img src=x onerror=alert(1)> Bcc: evil@example.com gnp')
    expect(mail.headers.has('bcc')).toBe(false)
  })

  test('W7: no page and no JSON shows a whole address, unless it was just typed and not understood', async () => {
    await typed()
    const jar = host.jar()
    const typo = await jar.post('/2fa/send').set(BROWSER).type('form').send({ email: 'ana@example' }).expect(422)
    expect(typo.text).toContain('value="ana@example"')
    await jar.post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
    await host.mailbox.mails(1)
    host.clock.tick(31)
    const seen = [
      await jar.post('/2fa/send').set(BROWSER).type('form').send({ email: 'ana@example.com' }).expect(303),
      await jar.get('/2fa').set(BROWSER).expect(200),
      await jar.get('/2fa').expect(200),
      await jar.post('/2fa/send').set(BROWSER).type('form').send({}).expect(429),
      await jar.post('/2fa/verify').set(BROWSER).type('form').send({ code: '1' }).expect(422),
      await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200),
      await jar.get('/2fa').set(BROWSER).expect(200),
    ]
    for (const { text, headers } of seen) expect(text + JSON.stringify(headers)).not.toMatch(/ana@example\.com/i)
    expect(seen[1]?.text).toContain('a•••@example.com')
  })
})

test('W8: the ranges of the two dependencies begin behind their known holes', () => {
  const file = readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(file) as { dependencies: Record<string, string> }
  const least = (name: string): number[] => (dependencies[name] ?? '').replace('^', '').split('.').map(Number)
  expect(dependencies.handlebars).toMatch(/^\^4\.\d+\.\d+$/)
  expect(dependencies.nodemailer).toMatch(/^\^10\.\d+\.\d+$/)
  const [, minor = 0, patch = 0] = least('handlebars')
  expect(minor * 1_000 + patch).toBeGreaterThanOrEqual(7_010)
  expect(least('nodemailer')[1]).toBeGreaterThanOrEqual(3)
})
