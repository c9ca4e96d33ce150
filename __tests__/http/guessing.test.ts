import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { MemoryStore as Sessions, type SessionData } from 'express-session'
import request from 'supertest'
import { cookieOf, guess, guessWrongly, tally } from '../helpers/guessing.js'
import { ANA, BEN, BROWSER, HostApp, type HostOptions, memorySession, SECRET } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { startTwins, type Twins } from '../helpers/twins.js'
import { emailOtp, MemoryStore, type OtpOptions, type OtpStore, type OtpUser } from '../../src/index.js'

let host: HostApp
let others: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(others.map((one) => one.close()))
  others = []
})

async function start(...[options]: Parameters<typeof HostApp.start>): Promise<HostApp> {
  host = await HostApp.start(options)
  others.push(host)
  return host
}

/** A session store that reads but does not write when it is full. */
class FullSessions extends Sessions {
  isFull = false
  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    if (this.isFull) done?.(new Error('the session store is full'))
    else super.set(id, data, done)
  }
}

async function twins(otp: Partial<OtpOptions> = {}): Promise<Twins> {
  const both = await startTwins(otp)
  others.push(both)
  return both
}

/** Wrong guesses in a session of its own, with as many codes as that takes. */
async function burn(user: OtpUser, guesses: number): Promise<void> {
  const jar = await host.signedIn(user)
  for (let left = guesses; left > 0; left -= 5) {
    await jar.post('/2fa/send').send({}).expect(200)
    await guessWrongly(jar, host.mailbox.code, Math.min(left, 5))
  }
}

describe('guessing', () => {
  test('V1: after five wrong guesses the right code is refused', async () => {
    await start()
    const { jar, code } = await host.asked()
    const answers = await guessWrongly(jar, code, 5)
    expect(answers.map(({ body }) => (body as { attempts_left: number }).attempts_left)).toEqual([4, 3, 2, 1, 0])
    const right = await guess(jar, code).expect(429)
    expect(right.body).toMatchObject({ code: 'code_exhausted' })
    await jar.get('/secret').expect(401)
  })

  test('V1: a resend in between repeats the code and brings back no guess', async () => {
    await start()
    const { jar, code } = await host.asked()
    await guessWrongly(jar, code, 4)
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    expect(host.mailbox.code).toBe(code)
    const last = await guess(jar, wrongCode(code)).expect(422)
    expect(last.body).toMatchObject({ attempts_left: 0 })
    await guess(jar, code).expect(429)
  })

  test('V1: a used-up code is not repeated: the next send begins another, and the old one stays shut', async () => {
    await start()
    const { jar, code } = await host.asked()
    await guessWrongly(jar, code, 5)
    await jar.post('/2fa/send').send({}).expect(200)
    const next = host.mailbox.code
    expect(next).not.toBe(code)
    await guess(jar, code).expect(422)
    await guess(jar, next).expect(200)
  })

  test('V2: of 200 parallel wrong guesses at two apps five are looked at, and the right code is refused', async () => {
    const { one, two } = await twins()
    const cookie = cookieOf(await request(one.origin).post('/login').send({ user: ANA }))
    const post = (app: HostApp, page: string, body: object) =>
      request(app.origin).post(page).set('Cookie', cookie).send(body)
    await post(one, '/2fa/send', {}).expect(200)
    const { code } = one.mailbox
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(code) })),
    )
    expect(tally(answers)).toEqual({ wrong_code: 5, code_exhausted: 195 })
    const right = await post(two, '/2fa/verify', { code }).expect(429)
    expect(right.body).toMatchObject({ code: 'code_exhausted' })
  })

  test('V2: 20 parallel sends with 100 guesses among them buy no more than one code after the other', async () => {
    await start()
    const { jar, code } = await host.asked()
    host.clock.tick(31)
    const answers = await Promise.all([
      ...Array.from({ length: 100 }, () => guess(jar, wrongCode(code))),
      ...Array.from({ length: 20 }, () => jar.post('/2fa/send').send({})),
    ])
    const looked = answers.filter(({ body }) => (body as { code?: string }).code === 'wrong_code').length
    // Ten permits of `failures`, whichever codes the guesses met.
    expect(looked).toBeGreaterThanOrEqual(5)
    expect(looked).toBeLessThanOrEqual(10)
  })

  test('V3: a wrong guess at the same time never costs the right one its challenge', async () => {
    const outcomes: Record<string, number> = {}
    await start()
    for (let round = 0; round < 200; round++) {
      const { jar, code } = await host.asked({ ...ANA, id: `u${round}` })
      const pair = [() => guess(jar, code), () => guess(jar, wrongCode(code))]
      if (round % 2) pair.reverse()
      const answers = await Promise.all(pair.map((act) => act()))
      const right = answers[round % 2]
      outcomes[String(right?.status)] = (outcomes[String(right?.status)] ?? 0) + 1
    }
    expect(outcomes).toEqual({ 200: 200 })
  }, 120_000)

  test('V4: a session that cannot be saved gives no guess back and grants nothing', async () => {
    const sessions = new FullSessions()
    await start({ session: memorySession({ store: sessions }) })
    const { jar, code } = await host.asked()
    sessions.isFull = true
    const broken = await guess(jar, code).expect(503)
    expect(broken.body).toMatchObject({ code: 'store_unavailable' })
    sessions.isFull = false
    await jar.get('/secret').expect(401)
    const again = await guess(jar, code)
    expect(again.status).not.toBe(200)

    const second = await host.asked(BEN)
    sessions.isFull = true
    const answers = await guessWrongly(second.jar, second.code, 5)
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 503])
    sessions.isFull = false
    await guess(second.jar, second.code).expect(429)
  })

  test('V4: clients that hang up before the answer have used their guess', async () => {
    const memory = new MemoryStore()
    others.push(memory)
    let hangUp = (): Promise<void> => Promise.resolve()
    const store: OtpStore = {
      open: (one) => memory.open(one),
      spend: (one) => memory.spend(one),
      async redeem(one) {
        await hangUp()
        return memory.redeem(one)
      },
    }
    const endings = new EventEmitter<{ close: [isAnswered: boolean] }>()
    const before: HostOptions['before'] = (app) => {
      app.use((_req, res, next) => {
        res.on('close', () => endings.emit('close', res.writableFinished))
        next()
      })
    }
    await start({ otp: { store, now: Date.now }, before })
    const login = await request(host.origin).post('/login').send({ user: ANA })
    const cookie = cookieOf(login)
    await request(host.origin).post('/2fa/send').set('Cookie', cookie).send({}).expect(200)
    const { code } = host.mailbox
    const body = JSON.stringify({ code: wrongCode(code) })
    for (let i = 0; i < 5; i++) {
      const counted = once(host.otp.events, 'rejected')
      const socket = connect(Number(new URL(host.origin).port), '127.0.0.1')
      const lines = [
        'POST /2fa/verify HTTP/1.1',
        'Host: 127.0.0.1',
        `Cookie: ${cookie}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ]
      // The client hangs up while the guess is on its way to the store.
      hangUp = async () => {
        socket.resetAndDestroy()
        expect(await once(endings, 'close')).toEqual([false])
      }
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
      await counted
    }
    hangUp = () => Promise.resolve()
    await request(host.origin).post('/2fa/verify').set('Cookie', cookie).send({ code }).expect(429)
  })

  test('V4: a host whose onVerified throws has spent the code and granted nothing', async () => {
    await start({
      otp: {
        onVerified: () => {
          throw new Error('not today')
        },
      },
    })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(500)
    await jar.get('/secret').expect(401)
    const again = await guess(jar, code).expect(422)
    expect(again.body).toMatchObject({ code: 'code_expired' })
  })

  test('V5: resend, restart, a new session, a new purpose and another app reset nothing', async () => {
    const { one, two, clock } = await twins({ limits: { failures: { capacity: 13 } } })
    const escalated = () => [...one.events, ...two.events].filter(({ type }) => type === 'escalated').length
    for (const [nth, app] of [one, two, one].entries()) {
      const jar = await app.signedIn(ANA)
      const askFor = async (): Promise<object> => {
        if (nth !== 1) return {}
        const action = await jar.post('/transfer').send({ amount: '5', payee: 'Eve' }).expect(401)
        return { for: (action.body as { for: string }).for }
      }
      let stepUp = await askFor()
      const wrong = async () => {
        const answer = await guess(jar, wrongCode(app.mailbox.code), stepUp).expect(422)
        expect(answer.body).toMatchObject({ code: 'wrong_code' })
      }
      await jar.post('/2fa/send').send(stepUp).expect(200)
      await wrong()
      clock.tick(31)
      await jar.post('/2fa/send').send(stepUp).expect(200)
      await wrong()
      await jar.post('/2fa/restart').send(stepUp).expect(200)
      clock.tick(5_760 * 2) // sends are another bucket; failures regain nothing to speak of
      stepUp = await askFor()
      await jar.post('/2fa/send').send(stepUp).expect(200)
      await wrong()
      await wrong()
    }
    expect(escalated()).toBe(0)

    // Twelve of thirteen are gone, so the thirteenth is the last.
    const jar = await two.signedIn(ANA)
    clock.tick(5_760 * 2)
    await jar.post('/2fa/send').send({}).expect(200)
    await guess(jar, wrongCode(two.mailbox.code)).expect(422)
    expect(escalated()).toBe(1)
    const right = await guess(jar, two.mailbox.code).expect(422)
    expect(right.body).toMatchObject({ code: 'long_code_required' })
  })

  test('V7: an attacker who uses up all guesses makes the code longer and locks nobody out', async () => {
    await start({ otp: { limits: { sendsPerUser: { capacity: 1000, refill: 1 } } } })
    for (const guesses of [4, 4, 2]) await burn(ANA, guesses) // J2, J3, J4
    expect(host.events.filter(({ type }) => type === 'escalated')).toHaveLength(1)

    const jar = await host.signedIn(ANA)
    const sent = await jar.post('/2fa/send').send({}).expect(200)
    expect(sent.body).toMatchObject({ format: { alphabet: '0123456789ABCDEFGHJKMNPQRSTVWXYZ', length: 13 } })
    expect(host.mailbox.code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}$/)
    while (!host.mailbox.code.includes('0') || !host.mailbox.code.includes('1')) {
      await jar.post('/2fa/restart').send({}).expect(200)
      await jar.post('/2fa/send').send({}).expect(200)
    }
    const typed = host.mailbox.code
      .toLowerCase()
      .replace(/0/g, 'o')
      .replace(/1/, 'l')
      .replace(/1/g, 'I')
      .replace(/-/g, '  ')
    await guess(jar, ` ${typed} `).expect(200)
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('V7: a mailed short code becomes void when the guesses are used up; a new, long one works', async () => {
    await start()
    const { jar, code } = await host.asked()
    await burn(ANA, 10)
    const longer = await guess(jar, code).expect(422)
    expect(longer.body).toMatchObject({ code: 'long_code_required' })
    const page = await jar.get('/2fa').set(BROWSER).expect(200)
    expect(page.text).toContain('Mail me the code')
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    await guess(jar, host.mailbox.code).expect(200)
  })

  test('V7: a long code takes five guesses too, and a short guess at it is not even counted', async () => {
    await start({ otp: { limits: { sendsPerUser: { capacity: 1000, refill: 1 } } } })
    await burn(ANA, 10)
    const { jar, code } = await host.asked()
    for (let i = 0; i < 6; i++) {
      const short = await guess(jar, '123456').expect(422)
      expect(short.body).toMatchObject({ code: 'invalid_code_format' })
    }
    expect(tally(await guessWrongly(jar, code, 6))).toEqual({ wrong_code: 5, code_exhausted: 1 })
    await guess(jar, code).expect(429)
  })

  test('V7: short codes return when half of the permits are back, not before', async () => {
    await start()
    await burn(ANA, 10)
    const length = async (): Promise<number> => (await host.asked()).code.length
    host.clock.tick(5 * 432_000 - 10)
    expect(await length()).toBe(15)
    host.clock.tick(20)
    expect(await length()).toBe(6)
  })

  test('V8: success gives back what this challenge took, and nothing of what others took', async () => {
    await start({ otp: { limits: { sendsPerUser: { capacity: 1000, refill: 1 } } } })
    await burn(ANA, 6) // J2
    const { jar, code } = await host.asked() // J1
    await guessWrongly(jar, code, 2)
    await guess(jar, code).expect(200)

    const { jar: later, code: unknown } = await host.asked() // four permits are left
    const escalated = () => host.events.filter(({ type }) => type === 'escalated').length
    await guessWrongly(later, unknown, 3)
    expect(escalated()).toBe(0)
    await guessWrongly(later, unknown, 1)
    expect(escalated()).toBe(1)
  })

  test('V9: what cannot be a code is not counted', async () => {
    await start()
    const { jar, code } = await host.asked()
    const odd = ['12', 'abcdef', '', '      ', `${code}1`, code.slice(1), '½½½½½½', '12345６7', '१२३४५', '-123456e0']
    for (const typed of odd.flatMap((one) => Array<string>(5).fill(one))) {
      const answer = await guess(jar, typed).expect(422)
      expect(answer.body).toMatchObject({ code: 'invalid_code_format' })
    }
    expect(host.events.filter(({ type }) => type === 'rejected')).toEqual([])
    await guess(jar, code).expect(200)
  })

  describe('V11: no limit can be switched off, not even by numbers that amount to it', () => {
    const NOTHING = [0, -1, Number.NaN, Infinity, null, '5', false, {}, 2 ** 53]
    const limits = (limit: string, of: string, value: unknown) => ({ limits: { [limit]: { [of]: value } } })
    const cases: [string, object][] = NOTHING.flatMap((value): [string, object][] => [
      [`attempts: ${inspect(value)}`, { attempts: value }],
      [`grantMaxAge: ${inspect(value)}`, { grantMaxAge: value }],
      [`lifetime: ${inspect(value)}`, { lifetime: value }],
      [`limits.resendAfter: ${inspect(value)}`, { limits: { resendAfter: value } }],
      ...['sendsPerUser', 'sendsPerIp', 'failures'].flatMap((limit): [string, object][] => [
        [`limits.${limit}.capacity: ${inspect(value)}`, limits(limit, 'capacity', value)],
        [`limits.${limit}.refill: ${inspect(value)}`, limits(limit, 'refill', value)],
      ]),
    ])

    test.each([
      ...cases,
      ['attempts: 11', { attempts: 11 }],
      ['attempts: 2.5', { attempts: 2.5 }],
      ['limits: null', { limits: null }],
      ['limits: false', { limits: false }],
      ['limits.failures: false', { limits: { failures: false } }],
      ['limits.failures: null', { limits: { failures: null } }],
      ['limits.failure (mistyped)', { limits: { failure: { capacity: 10 } } }],
      ['limits.failures.refil (mistyped)', { limits: { failures: { refil: 10 } } }],
      ['failures that refill each second', limits('failures', 'refill', 1)],
      ['code: a million, a thousand guesses a day', limits('failures', 'refill', 86)],
    ])('V11: %s is refused', (name, options) => {
      const all = {
        secret: SECRET,
        site: { name: 'Acme' },
        mail: { transport: 'smtp://127.0.0.1:2525', from: 'no-reply@acme.example' },
        user: () => null,
      }
      const option = /^(limits\.\w+|\w+)/.exec(name)?.[0] ?? ''
      const named = /^(failures|code)/.test(option) ? 'limits.failures' : option
      expect(() => emailOtp({ ...all, ...options })).toThrow(new RegExp(`\`${named.replace('.', '\\.')}`))
    })

    test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, null, '300', 31_536_001])(
      'V11: requireOtp({ maxAge: %p }) is refused',
      async (maxAge) => {
        await start()
        expect(() => host.otp.requireOtp({ maxAge: maxAge as number })).toThrow(/`maxAge`/)
      },
    )
  })
})
