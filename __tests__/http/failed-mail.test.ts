import request from 'supertest'
import { codesIn } from '../helpers/builders.js'
import { cookieOf } from '../helpers/guessing.js'
import {
  type Agent,
  ANA,
  Clock,
  HostApp,
  JSON_CLIENT,
  memorySession,
  NAVIGATE,
  sealedIn,
  submit,
} from '../helpers/host-app.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import { MemoryStore } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'

let host: HostApp
let smtp: ScriptedSmtp | null = null
afterEach(async () => {
  await smtp?.close()
  smtp = null
  await host.close()
})

const again = (jar: Agent) => jar.post('/2fa/send').send({})

describe('S6: a mail that failed', () => {
  async function against(script: SmtpScript): Promise<Agent> {
    smtp = await ScriptedSmtp.listen(script)
    host = await HostApp.start({
      otp: { mail: { transport: smtp.url, from: FROM }, limits: { sendsPerUser: { capacity: 1 } } },
    })
    return host.signedIn()
  }
  const codes = (): string[] => codesIn(smtp?.messages ?? [])

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

  test.each(failures)(
    'S6: %s is reported, and gives the send and the pause back',
    async (_how, script, code, status) => {
      const jar = await against(script)
      for (let i = 0; i < 7; i++) {
        const failed = await again(jar).expect(status)
        expect(failed.body).toMatchObject({ code, status })
        expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ state: 'send', delivery: 'failed' })
      }
      if (smtp) smtp.script = {}
      host.clock.tick(16) // the breaker is open until then
      await again(jar).expect(200)
      await jar
        .post('/2fa/verify')
        .send({ code: codes().at(-1) })
        .expect(200)
    },
  )

  test.each(failures.filter(([how]) => /^5(50|54)/.test(how)))('S6: %s is shown on the page too', async (...row) => {
    const [, script, code] = row
    const jar = await against(script)
    const page = (await jar.get('/secret').set(NAVIGATE)).get('Location') ?? ''
    const sealed = sealedIn((await jar.get(page).set(NAVIGATE)).text)
    const failed = await submit(jar, '/2fa/send', { for: sealed })
    const text = code === 'mail_refused' ? 'does not accept mail for this address' : 'cannot send mail right now'
    expect(failed.text).toContain(text)
    expect(failed.text).toContain('Mail me a new code')
    expect(failed.text).not.toContain('ana@example.com')
    const reloaded = await jar.get(page).set(NAVIGATE).expect(200)
    expect(reloaded.text).toContain('The mail to a•••@example.com did not go out')
  })

  test('S6 and H7: the mail after a failed one carries the same code, and a Message-ID of its own', async () => {
    const jar = await against({ end: '554 5.6.0 looks like spam' })
    await again(jar).expect(503)
    await again(jar).expect(503)
    if (smtp) smtp.script = {}
    await again(jar).expect(200)
    const ids = smtp?.messages.map((message) => /^Message-ID: (.*)$/im.exec(message)?.[1])
    expect(codes()[0]).toMatch(/^\d{6}$/)
    expect(codes()).toEqual(Array(3).fill(codes()[0]))
    expect(new Set(ids).size).toBe(3)
  })

  test('S6: a mailbox that refuses everything opens a limited number of challenges', async () => {
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
    await jar.post('/2fa/verify').send({ code: codes()[0] }).expect(200)
  })

  test('S6: a mail that failed at one process and went out at another is not shown as failed by the first', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const sessions = memorySession()
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
      expect((await at(other).get('/2fa')).body).toMatchObject({ state: 'code', delivery: 'sent' })
      expect((await at(host).get('/2fa')).body).toMatchObject({ state: 'code', delivery: 'queued' })
    } finally {
      await other.close()
      await store.close()
    }
  })
})
