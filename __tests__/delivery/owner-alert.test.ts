import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { guess } from '../helpers/guessing.js'
import { ANA, BEN, Clock, HostApp } from '../helpers/host-app.js'
import { type Received, wrongCode } from '../helpers/mailbox.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'
import { MemoryStore, type OtpOptions, type OtpUser } from '../../src/index.js'

const ONE_GUESS: Partial<OtpOptions> = { limits: { failures: { capacity: 1 } } }
const FROM = 'Acme <no-reply@acme.example>'

let host: HostApp
afterEach(() => host.close())

const isAlert = ({ mail }: Received): boolean => mail.subject?.startsWith('Wrong codes') ?? false
const alerts = (): Received[] => host.mailbox.received.filter(isAlert)

/** Waits for the mail of an event, which nobody's request waits for. */
const alerted = (): Promise<unknown> =>
  new Promise((resolve) => {
    host.otp.events.on('sent', (event) => {
      if (event.view === 'alert') resolve(event)
    })
  })

async function start(otp: Partial<OtpOptions> = ONE_GUESS): Promise<void> {
  host = await HostApp.start({ otp })
}

/** Somebody signs in, asks for a code, and types it wrong. */
async function mistypes(user: OtpUser = ANA, times = 1, at = host): Promise<void> {
  const { jar, code } = await at.asked(user)
  for (let i = 0; i < times; i++) await guess(jar, wrongCode(code)).expect(422)
}

describe('the owner', () => {
  test('is mailed when ten wrong codes were typed in sessions that had passed the first step', async () => {
    await start({})
    const event = alerted()
    await mistypes(ANA, 5)
    expect(alerts()).toHaveLength(0)
    await mistypes(ANA, 5)
    expect(await event).toMatchObject({ user: 'u1', purpose: 'access', tag: null, view: 'alert' })
    expect(alerts()).toHaveLength(1)
    const { to, mail, raw } = host.mailbox.last
    const text = mail.text?.replaceAll('\n', ' ')
    expect(to).toEqual([ANA.email])
    expect(mail.subject).toBe('Wrong codes were typed for you at Acme')
    expect(text).toContain('typed too many wrong codes, the last one at 14:22\u00a0UTC.')
    expect(text).toContain('Go to acme.example the way you always do')
    const words = String(mail.html).replace(/<style>[^]*<\/style>|<[^>]+>/g, ' ')
    expect(`${mail.subject}${text}${words}`).not.toMatch(/\d{4,}/)
    expect(String(mail.html)).not.toMatch(/<a\b|https?:/)
    expect(raw).toMatch(/^Auto-Submitted: auto-generated/m)
    expect(raw).not.toMatch(/^OTP-Token/im)
  })

  test('is mailed once a day, however often and in however many processes wrong codes are typed', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const limits = { failures: { capacity: 1, refill: 3_600 }, sendsPerUser: { capacity: 50 } }
    await start({ limits, store, now: clock.now })
    const other = await HostApp.start({ otp: { limits, store, now: clock.now } })
    const alertsOf = ({ mailbox }: HostApp): number => mailbox.received.filter(isAlert).length
    for (let hour = 0; hour <= 24; hour++) {
      const event = hour % 24 === 0 ? alerted() : null
      await mistypes(ANA, 1, hour % 2 ? other : host)
      await event // an attempt under way would time out when the clock is moved
      clock.tick(3_600)
    }
    const events = [...host.events, ...other.events]
    expect(events.filter(({ type }) => type === 'escalated')).toHaveLength(25)
    await other.close()
    await host.otp.close()
    expect([alertsOf(host), alertsOf(other)]).toEqual([2, 0]) // in the first hour and 24 hours later
    await store.close()
  })

  test('is not mailed when somebody only typed the address: that is no first step', async () => {
    await start({ ...ONE_GUESS, user: () => null, typedEmail: true })
    const jar = host.jar()
    await jar.post('/2fa/send').send({ email: ANA.email }).expect(200)
    await host.mailbox.mails(1)
    await guess(jar, wrongCode(host.mailbox.code)).expect(422)
    await jar.get('/2fa').expect(200)
    expect(host.events.map(({ type }) => type)).toContain('escalated')
    await host.otp.close()
    expect(alerts()).toHaveLength(0)
  })

  test('reads it in a language of their own, whatever the browser of the other says', async () => {
    const views = mkdtempSync(path.join(tmpdir(), 'views-'))
    mkdirSync(path.join(views, 'locales'))
    writeFileSync(path.join(views, 'locales/de.json'), JSON.stringify({ 'alert.subject': 'Falsche Codes bei {site}' }))
    writeFileSync(path.join(views, 'locales/fr.json'), JSON.stringify({ 'alert.subject': 'Codes faux' }))
    await start({ ...ONE_GUESS, views })
    const event = alerted()
    const jar = await host.signedIn({ ...ANA, locale: 'de' })
    await jar.post('/2fa/send').set('Accept-Language', 'fr').send({}).expect(200)
    await guess(jar, wrongCode(host.mailbox.code)).set('Accept-Language', 'fr').expect(422)
    expect(await event).toMatchObject({ locale: 'de' })
    expect(host.mailbox.last.mail.subject).toBe('Falsche Codes bei Acme')
    rmSync(views, { recursive: true })
  })
})

describe('nothing depends on the alert:', () => {
  test('a store that fails at it changes no response', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const spend = store.spend.bind(store)
    store.spend = (request) => (request.bucket === 'alert' ? Promise.reject(new Error('down')) : spend(request))
    await start({ ...ONE_GUESS, store, now: clock.now })
    const failed = new Promise((resolve) => host.otp.events.once('failed', resolve))
    await mistypes()
    expect(await failed).toMatchObject({ outcome: 'store_unavailable' })
    expect(alerts()).toHaveLength(0)
    await store.close()
  })

  test('nobody waits for it, and it cancels no code mail that waits', async () => {
    const smtp = await ScriptedSmtp.listen({})
    await start({ ...ONE_GUESS, mail: { transport: smtp.url, from: FROM } })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(200)
    const code = /^\d{6}$/m.exec(smtp.messages[0] ?? '')?.[0] ?? ''
    smtp.script = { rcpt: '450 4.2.1 busy' }
    const other = await host.signedIn()
    await other.post('/2fa/send').send({}).expect(200) // waits for its second try
    const deferred = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    await guess(jar, wrongCode(code)).expect(422)
    expect(await deferred).toMatchObject({ view: 'alert', outcome: 'deferred' }) // so does the alert
    smtp.script = {}
    host.clock.tick(3)
    await smtp.until(() => smtp.messages.length === 3)
    const subjects = smtp.messages.map((message) => /^Subject: (.*)$/m.exec(message)?.[1])
    expect(subjects.sort()).toEqual(['Wrong codes were typed for you at Acme', 'Your Acme code', 'Your Acme code'])
    await smtp.close()
  }, 20_000)

  test('it survives an outage: it goes out when the server is back', async () => {
    const smtp = await ScriptedSmtp.listen({})
    await start({ ...ONE_GUESS, mail: { transport: smtp.url, from: FROM } })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(200)
    smtp.script = { mail: '535 5.7.8 who are you' }
    await (await host.signedIn(BEN)).post('/2fa/send').send({}).expect(503)
    expect(host.otp.health().breaker).toBe('open')
    const code = /^\d{6}$/m.exec(smtp.messages[0] ?? '')?.[0] ?? ''
    await guess(jar, wrongCode(code)).expect(422)
    while (host.otp.health().queue < 1) await new Promise((resolve) => setImmediate(resolve))
    smtp.script = {}
    const event = alerted()
    host.clock.tick(15)
    expect(await event).toMatchObject({ view: 'alert', attempt: 1 })
    await smtp.close()
  })

  test('one that fails is not the one of the day, and a store that fails at it keeps no place in the queue', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const spent: (number | undefined)[] = []
    const spend = store.spend.bind(store)
    store.spend = (request) => {
      if (request.bucket === 'alert') spent.push(request.permits)
      return request.bucket === 'alert' && spent.length > 2 ? Promise.reject(new Error('down')) : spend(request)
    }
    const smtp = await ScriptedSmtp.listen({})
    const limits = { failures: { capacity: 1, refill: 3_600 }, sendsPerUser: { capacity: 700 } }
    await start({ limits, store, now: clock.now, mail: { transport: smtp.url, from: FROM } })
    const mistype = async (): Promise<void> => {
      const jar = await host.signedIn()
      smtp.script = {}
      await jar.post('/2fa/send').send({}).expect(200)
      smtp.script = { end: '554 5.6.0 no' }
      await guess(jar, wrongCode(/^\d{6}$/m.exec(smtp.messages.at(-1) ?? '')?.[0] ?? '')).expect(422)
      clock.tick(3_600)
    }
    const lost = new Promise((resolve) => host.otp.events.once('undelivered', resolve))
    await mistype()
    expect(await lost).toMatchObject({ view: 'alert', outcome: 'unavailable' })
    while (spent.length < 2) await new Promise((resolve) => setImmediate(resolve))
    expect(spent).toEqual([undefined, -1])
    for (let i = 0; i < 3; i++) {
      const failed = new Promise((resolve) => host.otp.events.once('failed', resolve))
      await mistype()
      await failed
    }
    expect(host.otp.health().queue).toBe(0)
    await smtp.close()
    await store.close()
  })
})

test('no purpose can be named like the alert, whose templates hold no code', async () => {
  await start()
  expect(() => host.otp.requireOtp({ purpose: 'alert' })).toThrow(/is "alert"\. That is the name of a mail/)
})
