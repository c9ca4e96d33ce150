import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { ANA, HostApp } from './helpers/host-app.js'
import { wrongCode } from './helpers/mailbox.js'
import { ScriptedSmtp } from './helpers/smtp-script.js'
import type { OtpEvent, OtpOptions } from '../src/index.js'

/** Long enough to appear nowhere by chance. */
const LONG_CODE: Partial<OtpOptions> = { code: { digits: 18 } }

let host: HostApp
afterEach(() => host.close())

const outcomes = (): string[] => host.events.map((event) => `${event.type} ${event.outcome}`)

describe('L1: one event for each path', () => {
  test('L1: a code is issued, sent, mistyped, and verified', async () => {
    host = await HostApp.start()
    const { jar, code } = await host.asked()
    await jar
      .post('/2fa/verify')
      .send({ code: wrongCode(code) })
      .expect(422)
    await jar.post('/2fa/verify').send({ code: 'short' }).expect(422)
    await jar.post('/2fa/verify').send({ code }).expect(200)
    expect(outcomes()).toEqual(['issued created', 'sent accepted', 'rejected mismatch', 'verified redeemed'])
  })

  test('L1: a send too soon is throttled, a later one repeats', async () => {
    host = await HostApp.start({ otp: { limits: { sendsPerUser: { capacity: 2 } } } })
    const { jar } = await host.asked()
    await jar.post('/2fa/send').send({}).expect(429)
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(429)
    expect(outcomes().slice(2)).toEqual([
      'throttled resendAfter',
      'issued resent',
      'sent accepted',
      'throttled sendsPerUser',
    ])
  })

  test('L1: a code that is used up, one that has expired, and ten wrong guesses', async () => {
    host = await HostApp.start()
    const first = await host.asked()
    const guess = (): Promise<unknown> =>
      first.jar
        .post('/2fa/verify')
        .send({ code: wrongCode(first.code) })
        .then((answer) => answer.status)
    for (let i = 0; i < 6; i++) await guess()
    const second = await host.asked()
    for (let i = 0; i < 5; i++) await second.jar.post('/2fa/verify').send({ code: wrongCode(second.code) })
    const third = await host.asked({ id: 'u3', email: 'eve@example.com' })
    host.clock.tick(601)
    await third.jar.post('/2fa/verify').send({ code: third.code }).expect(422)
    expect(outcomes().filter((text) => /^(rejected|escalated)/.test(text))).toEqual([
      ...Array<string>(5).fill('rejected mismatch'),
      'rejected exhausted',
      ...Array<string>(5).fill('rejected mismatch'),
      'escalated long_code_required',
      'rejected not_found',
    ])
  })

  test('L1: a short code after the failures bucket ran empty', async () => {
    host = await HostApp.start({ otp: { limits: { failures: { capacity: 1 } } } })
    const owner = await host.asked()
    const other = await host.asked()
    await other.jar
      .post('/2fa/verify')
      .send({ code: wrongCode(other.code) })
      .expect(422)
    await owner.jar.post('/2fa/verify').send({ code: owner.code }).expect(422)
    expect(outcomes().filter((text) => /^(rejected|escalated)/.test(text))).toEqual([
      'rejected mismatch',
      'escalated long_code_required',
      'rejected long_code_required',
    ])
  })

  test.each([
    ['550 5.1.1 no', 'undelivered refused'],
    ['451 4.7.1 try again in 60 seconds', 'undelivered deferred'],
  ])('L1: a mail that ends with %s', async (rcpt, event) => {
    const smtp = await ScriptedSmtp.listen({ rcpt })
    host = await HostApp.start({ otp: { mail: { transport: smtp.url, from: 'no-reply@acme.example' } } })
    await (await host.signedIn()).post('/2fa/send').send({})
    await smtp.close()
    expect(outcomes()).toEqual(['issued created', event])
    const [, lost] = host.events
    expect(lost).toMatchObject(
      event.endsWith('refused')
        ? { failureClass: 'recipient', reason: 'EENVELOPE RCPT TO 550 5.1.1' }
        : { failureClass: 'greylist', reason: 'EENVELOPE RCPT TO 451 4.7.1' },
    )
  })

  test('L1: a cross-site request, and an address that the host does not accept', async () => {
    host = await HostApp.start({ otp: { user: () => null, typedEmail: { accept: () => false } } })
    await host.jar().post('/2fa/send').set('Origin', 'https://evil.example').send({}).expect(403)
    await host.jar().post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
    expect(outcomes()).toEqual(['refused cross_site', 'refused not_accepted', 'issued created'])
  })
})

/** Further members of some events. */
const MORE: Partial<Record<OtpEvent['type'], string[]>> = {
  sent: ['mail', 'view', 'locale', 'attempt', 'ms', 'messageId'],
  verified: ['seconds'],
}

test('L2: an event has user, purpose, tag, outcome and time, and no code, address or session id', async () => {
  host = await HostApp.start({ otp: LONG_CODE })
  const { jar, code } = await host.asked()
  await jar
    .post('/2fa/verify')
    .send({ code: wrongCode(code) })
    .expect(422)
  const done = await jar.post('/2fa/verify').send({ code }).expect(200)
  const cookies = [done.get('Set-Cookie') ?? []].flat().map((cookie) => /s%3A([^.]+)/.exec(cookie)?.[1] ?? '')
  expect(cookies.join('')).not.toBe('')
  for (const event of host.events as (OtpEvent & { at: number })[]) {
    expect(Object.keys(event).sort()).toEqual(
      ['at', 'outcome', 'purpose', 'tag', 'type', 'user', ...(MORE[event.type] ?? [])].sort(),
    )
    expect(event).toMatchObject({ user: 'u1', purpose: 'access', at: host.clock.ms })
    expect('tag' in event && event.tag).toMatch(/^[B-Z]{3}$/)
  }
  const text = inspect(host.events, { depth: 10 })
  for (const secret of [code, ANA.email, 'a•••', ...cookies]) expect(text).not.toContain(secret)
})

test('L2: an event about a typed address names no user', async () => {
  host = await HostApp.start({ otp: { user: () => null, typedEmail: true } })
  await host.jar().post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
  await host.mailbox.mails(1)
  expect(host.events[0]).toMatchObject({ type: 'issued', user: null })
  expect(inspect(host.events, { depth: 10 })).not.toMatch(/ana|@/)
})

test('L1 and L2: every event is published on a channel of node:diagnostics_channel, with the same content', async () => {
  const heard: unknown[] = []
  const hear = (event: unknown, name: string | symbol) => {
    expect(name).toBe(`express-email-otp:${(event as OtpEvent).type}`)
    heard.push(event)
  }
  const names = ['issued', 'sent', 'rejected', 'verified', 'throttled'].map((type) => `express-email-otp:${type}`)
  for (const name of names) subscribe(name, hear)
  try {
    host = await HostApp.start({ otp: LONG_CODE })
    const { jar, code } = await host.asked()
    await jar.post('/2fa/send').send({}).expect(429)
    await jar
      .post('/2fa/verify')
      .send({ code: wrongCode(code) })
      .expect(422)
    await jar.post('/2fa/verify').send({ code }).expect(200)
    expect(heard).toEqual(host.events)
    expect(heard).toHaveLength(5)
    expect(JSON.stringify(heard)).not.toContain(code)
  } finally {
    for (const name of names) unsubscribe(name, hear)
  }
})

test('L3: listeners that throw or reject change nothing, and the other listeners are called', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  host = await HostApp.start()
  const heard: string[] = []
  for (const type of ['issued', 'sent', 'rejected', 'verified'] as const) {
    host.otp.events.prependListener(type, () => {
      throw new Error('listener')
    })
    host.otp.events.on(type, () => Promise.reject(new Error('listener')) as unknown as undefined)
    host.otp.events.on(type, () => {
      throw Object.create(null)
    })
    host.otp.events.on(type, () => void heard.push(type))
  }
  const { jar, code } = await host.asked()
  await jar
    .post('/2fa/verify')
    .send({ code: wrongCode(code) })
    .expect(422)
  await jar.post('/2fa/verify').send({ code }).expect(200)
  await jar.get('/secret').expect(200)
  expect(heard).toEqual(['issued', 'sent', 'rejected', 'verified'])
  expect(warn.mock.calls.map(String).filter((text) => text.includes('a listener of')).length).toBe(12)
  warn.mockRestore()
})

test('a failure without a listener is written to the console', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined)
  host = await HostApp.start({
    otp: {
      locals: () => {
        throw new Error('locals broke')
      },
    },
  })
  host.otp.events.removeAllListeners('failed')
  await (await host.signedIn()).get('/2fa').expect(500)
  expect(error.mock.calls).toHaveLength(1)
  expect(inspect(error.mock.calls)).toContain('locals broke')
  error.mockRestore()
})

test('an error that cannot even be shown is answered, and stops nothing', async () => {
  const error = jest.spyOn(console, 'error').mockImplementation(() => undefined)
  const unreadable = Object.defineProperty(new Error('odd'), 'stack', {
    get() {
      throw new Error('getter')
    },
  })
  host = await HostApp.start({
    otp: {
      user() {
        throw unreadable
      },
    },
  })
  host.otp.events.removeAllListeners('failed')
  await host.jar().get('/2fa').expect(500)
  await host.jar().get('/secret').expect(500)
  expect(error.mock.calls.map(String)).toEqual(Array(2).fill('express-email-otp:,an error that cannot be shown'))
  error.mockRestore()
})
