import cookieSession from 'cookie-session'
import type { RequestHandler } from 'express'
import { MemoryStore as Sessions, type SessionData } from 'express-session'
import request from 'supertest'
import { cookieOf, guess, guessWrongly, tally } from '../helpers/guessing.js'
import { ANA, BROWSER, HostApp, memorySession } from '../helpers/host-app.js'
import { Gate } from '../helpers/gate.js'
import { codeIn, Mailbox, wrongCode } from '../helpers/mailbox.js'
import { type Attempt, MemoryStore, type RedeemOutcome } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const start = async (...[options]: Parameters<typeof HostApp.start>) => (host = await HostApp.start(options))

/** A client that sends exactly this cookie. */
const as = (cookie: string) => ({
  get: (page: string) => request(host.origin).get(page).set('Cookie', cookie),
  post: (page: string, body: object) => request(host.origin).post(page).set('Cookie', cookie).send(body),
})

async function login(cart: string[] = []): Promise<string> {
  return cookieOf(await request(host.origin).post('/login').send({ user: ANA, cart }).expect(200))
}

/** A route that answers when its gate opens; before that it may put something into the cart. */
class SlowRoute {
  readonly entered = new Gate()
  readonly gate = new Gate()

  constructor(readonly isWriting = true) {}

  readonly handler: RequestHandler = (req, res) => {
    this.entered.open()
    void this.gate.opened.then(() => {
      if (this.isWriting) req.session.cart = [...(req.session.cart ?? []), 'slowly added']
      res.json({ done: true })
    })
  }
}

/** A mail server that accepts no sender between `hold()` and the opening of its gate. */
class SlowMails {
  gate: Gate | null = null
  reached = new Gate()
  readonly mailbox = new Mailbox({
    onMailFrom: (_address, _session, done) => {
      this.reached.open()
      void Promise.resolve(this.gate?.opened).then(() => {
        done()
      })
    },
  })

  hold(): Gate {
    this.reached = new Gate()
    return (this.gate = new Gate())
  }
}

/** A store that, after `hold()`, decides the next attempt at once and answers it when the gate opens. */
class SlowRedeem extends MemoryStore {
  #gate: Gate | null = null
  reached = new Gate()

  hold(): Gate {
    this.reached = new Gate()
    return (this.#gate = new Gate())
  }

  override async redeem(attempt: Attempt): Promise<RedeemOutcome> {
    const outcome = await super.redeem(attempt)
    const gate = this.#gate
    this.#gate = null
    this.reached.open()
    await gate?.opened
    return outcome
  }
}

/** A store in which attempts wait for each other, so that all of them come from sessions as they were before. */
class MeetingStore extends MemoryStore {
  #waiting: (() => void)[] = []

  constructor(readonly size: number) {
    super()
  }

  override async redeem(attempt: Attempt): Promise<RedeemOutcome> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length >= this.size) for (const go of this.#waiting.splice(0)) go()
    })
    return super.redeem(attempt)
  }
}

describe('a new id for a proven session', () => {
  test('X1: success changes the session id, keeps the host’s data, and ends the old id', async () => {
    const sessions = new Sessions()
    await start({ session: memorySession({ store: sessions }) })
    const before = await login(['tea', 'milk'])
    await as(before).post('/2fa/send', {}).expect(200)
    const done = await as(before).post('/2fa/verify', { code: host.mailbox.code }).expect(200)
    const after = cookieOf(done)

    expect(after).toMatch(/^connect\.sid=/)
    expect(after).not.toBe(before)
    await as(after).get('/secret').expect(200, 'the secret')
    const mine = await as(after).get('/me').expect(200)
    expect(mine.body).toEqual({ user: ANA, cart: ['tea', 'milk'] })
    await as(before).get('/me').expect(200, { user: null, cart: null })
    await as(before).get('/secret').expect(401)
    expect(Object.keys((sessions as unknown as { sessions: object }).sessions)).toHaveLength(1)
  })

  test('X1: a session id that an attacker planted before the sign-in opens nothing afterwards', async () => {
    await start()
    const planted = await login()
    // The victim signs in and verifies within the planted session; the attacker polls with the same cookie.
    await as(planted).post('/2fa/send', {}).expect(200)
    const watching = () => as(planted).get('/secret')
    const verifying = as(planted).post('/2fa/verify', { code: host.mailbox.code }).then()
    await Promise.all(Array.from({ length: 20 }, () => watching().then()))
    const done = await verifying
    expect(done.status).toBe(200)
    await watching().expect(401)
  })

  test('X1: the life of the cookie that the host chose for this session stays as it was', async () => {
    await start({
      session: memorySession({ cookie: { maxAge: 60_000 } }),
      after: (app) => {
        app.post('/remember-me', (req, res) => {
          req.session.cookie.maxAge = 30 * 86_400_000
          res.json({})
        })
      },
    })
    const jar = await host.signedIn()
    await jar.post('/remember-me').expect(200)
    await jar.post('/2fa/send').send({}).expect(200)
    const done = await guess(jar, host.mailbox.code).expect(200)
    const expires = Date.parse(/Expires=([^;]*)/.exec(String(done.headers['set-cookie']))?.[1] ?? '')
    expect(expires - Date.now()).toBeGreaterThan(29 * 86_400_000)
  })

  test('X1: wrong guesses and sends keep the id: only proof changes it', async () => {
    await start()
    const { jar, code } = await host.asked()
    const answers = await guessWrongly(jar, code, 5)
    for (const { headers } of answers) expect(headers['set-cookie']).toBeUndefined()
  })
})

describe('answered only when saved', () => {
  class LateSessions extends Sessions {
    constructor(readonly ms: number) {
      super()
    }
    override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
      const copy = JSON.parse(JSON.stringify(data)) as SessionData
      setTimeout(() => {
        super.set(id, copy, done)
      }, this.ms)
    }
  }

  test('X2: with a session store that takes 300 ms the redirect target is open 100 of 100 times', async () => {
    await start({ session: memorySession({ store: new LateSessions(300) }) })
    const people = Array.from({ length: 100 }, (_, i) => ({ id: `u${i}`, email: `u${i}@example.com` }))
    const jars = await Promise.all(people.map((user) => host.signedIn(user)))
    const led = await Promise.all(jars.map((jar) => jar.get('/secret').set(BROWSER).expect(303)))
    const forms = led.map((answer) => ({
      for: new URL(answer.get('Location') ?? '', host.origin).searchParams.get('for') ?? '',
    }))
    const post = (i: number, page: string, fields: object) =>
      (jars[i] ?? host.jar())
        .post(page)
        .set(BROWSER)
        .type('form')
        .send({ ...forms[i], ...fields })
    await Promise.all(jars.map((_jar, i) => post(i, '/2fa/send', {}).expect(303)))
    await host.mailbox.mails(100)
    const opened = await Promise.all(
      jars.map(async (jar, i) => {
        const mail = host.mailbox.received.find(({ to }) => to[0] === `u${i}@example.com`)
        const done = await post(i, '/2fa/verify', { code: mail ? codeIn(mail) : '' })
        const on = await jar.get(done.get('Location') ?? '/missing').set(BROWSER)
        const page = await jar.get((on.get('Refresh') ?? '').replace('0; url=', '')).set(BROWSER)
        return page.text
      }),
    )
    expect(opened).toEqual(Array(100).fill('the secret'))
  }, 120_000)

  test('X2: the page after "send" knows the challenge, however late the session is written', async () => {
    await start({ session: memorySession({ store: new LateSessions(100) }) })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').set(BROWSER).type('form').send('').expect(303)
    const page = await jar.get('/2fa').set(BROWSER).expect(200)
    expect(page.text).toContain('Enter the 6-digit code')
  })
})

describe('GETs and refusals write nothing', () => {
  class CountingSessions extends Sessions {
    writes: string[] = []
    override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
      this.writes.push('set')
      super.set(id, data, done)
    }
    override destroy(id: string, done?: (error?: unknown) => void): void {
      this.writes.push('destroy')
      super.destroy(id, done)
    }
  }

  test('X8: 1 000 GETs of page and guarded route write no session and make none', async () => {
    const store = new CountingSessions()
    await start({ session: memorySession({ store }) })
    const signedIn = await login()
    await as(signedIn).post('/2fa/send', {}).expect(200)
    const led = await as(signedIn).get('/secret').set(BROWSER).expect(303)
    const page = led.get('Location') ?? ''
    const existing = Object.keys((store as unknown as { sessions: object }).sessions)
    store.writes = []

    const pages = ['/2fa', '/secret', page, '/2fa/assets/otp.css', '/2fa/verify']
    for (let i = 0; i < 1_000; i += 10) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, k) => {
          const get = request(host.origin).get(pages[k % 5] ?? '')
          if (k < 5) void get.set('Cookie', signedIn)
          return get.set(i % 20 ? BROWSER : { Accept: 'application/json' })
        }),
      )
      for (const { headers } of answers) expect(headers['set-cookie']).toBeUndefined()
    }
    expect(store.writes).toEqual([])
    expect(Object.keys((store as unknown as { sessions: object }).sessions)).toEqual(existing)
  }, 120_000)

  test('X8: refused POSTs write no session either', async () => {
    const store = new CountingSessions()
    await start({ session: memorySession({ store }) })
    const cookie = await login()
    await as(cookie).post('/2fa/send', {}).expect(200)
    store.writes = []
    for (const who of [cookie, '']) {
      await as(who).post('/2fa/verify', { code: '12' })
      await as(who).post('/2fa/verify', { code: wrongCode(host.mailbox.code) })
      await as(who).post('/2fa/verify', { code: ['1'] })
      await as(who).post('/2fa/verify', { code: '123456' }).set('Sec-Fetch-Site', 'cross-site').expect(403)
      await as(who).post('/2fa/send', {}) // too early, or not signed in
      await as(who)
        .post('/2fa/restart', { for: 'x'.repeat(17_000) })
        .expect(413)
      await as(who).post('/transfer', { amount: '1', payee: 'Eve' }).expect(401)
    }
    expect(store.writes).toEqual([])
  })
})

describe('parallel requests of one session', () => {
  test('X9: a slow request during verify costs neither the grant nor the host’s data', async () => {
    const slow = new SlowRoute()
    await start({ after: (app) => app.get('/slow', slow.handler) })
    const { jar, code } = await host.asked()
    const pending = jar.get('/slow').then((answer) => answer.status)
    await slow.entered.opened
    await guess(jar, code).expect(200)
    slow.gate.open()
    expect(await pending).toBe(200)
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('X9: nor does one that only reads, when the session cookie has a date', async () => {
    const slow = new SlowRoute(false)
    await start({
      session: memorySession({ cookie: { maxAge: 3_600_000 } }),
      after: (app) => app.get('/slow', slow.handler),
    })
    const { jar, code } = await host.asked()
    const pending = jar.get('/slow').then((answer) => answer.status)
    await slow.entered.opened
    await guess(jar, code).expect(200)
    slow.gate.open()
    expect(await pending).toBe(200)
    await jar.get('/secret').expect(200, 'the secret')
  })

  test.each([
    ['a dated cookie', { cookie: { maxAge: 3_600_000 } }],
    ['a cookie without date', {}],
  ])('X9: a resend whose mail is slow does not bring the old id back, with %s', async (_name, options) => {
    const mails = new SlowMails()
    const mailbox = await mails.mailbox.listen()
    const store = new Sessions()
    await start({ mailbox, session: memorySession({ store, ...options }) })
    const { jar, code } = await host.asked()
    host.clock.tick(31)
    const gate = mails.hold()
    const resent = jar
      .post('/2fa/send')
      .send({})
      .then((answer) => answer)
    await mails.reached.opened
    await guess(jar, code).expect(200)
    gate.open()
    expect((await resent).status).toBe(200)
    expect((await resent).get('Set-Cookie')).toBeUndefined()
    await jar.get('/secret').expect(200, 'the secret')
    const sessions = await new Promise((resolve, reject) => {
      store.all((error, all) => (error ? reject(error as Error) : resolve(Object.keys(all ?? {}))))
    })
    expect(sessions).toHaveLength(1)
  })

  test('X9: what the host writes while a mail is slow is kept', async () => {
    const mails = new SlowMails()
    await start({ mailbox: await mails.mailbox.listen() })
    const jar = await host.signedIn()
    const gate = mails.hold()
    const sent = jar
      .post('/2fa/send')
      .send({})
      .then((answer) => answer.status)
    await mails.reached.opened
    await jar
      .post('/login')
      .send({ user: ANA, cart: ['tea'] })
      .expect(200)
    gate.open()
    expect(await sent).toBe(200)
    const { body } = await jar.get('/me').expect(200)
    expect(body.cart).toEqual(['tea'])
    const state = await jar.get('/2fa').set('Accept', 'application/json').expect(200)
    expect(state.body).toMatchObject({ state: 'code', delivery: 'sent' })
  })

  test('X9: an old id that a slow request brought back holds no grant', async () => {
    const slow = new SlowRoute()
    await start({ after: (app) => app.get('/slow', slow.handler) })
    const before = await login()
    await as(before).post('/2fa/send', {}).expect(200)
    const pending = as(before)
      .get('/slow')
      .then((answer) => answer.status)
    await slow.entered.opened
    await as(before).post('/2fa/verify', { code: host.mailbox.code }).expect(200)
    slow.gate.open()
    expect(await pending).toBe(200)
    await as(before)
      .get('/me')
      .expect(200, { user: ANA, cart: ['slowly added'] })
    await as(before).get('/secret').expect(401)
    await as(before).post('/2fa/verify', { code: host.mailbox.code }).expect(422)
  })

  test('X9: wrong guesses during a slow request are counted, though it writes the session last', async () => {
    const slow = new SlowRoute()
    await start({ after: (app) => app.get('/slow', slow.handler) })
    const { jar, code } = await host.asked()
    const pending = jar.get('/slow').then((answer) => answer.status)
    await slow.entered.opened
    expect(tally(await guessWrongly(jar, code, 5))).toEqual({ wrong_code: 5 })
    slow.gate.open()
    expect(await pending).toBe(200)
    const right = await guess(jar, code).expect(429)
    expect(right.body).toMatchObject({ code: 'code_exhausted' })
  })

  const MIDDLEWARES: [string, () => RequestHandler][] = [
    ['a session cookie', () => memorySession()],
    ['a cookie with a date', () => memorySession({ cookie: { maxAge: 3_600_000 } })],
    ['cookie-session', () => cookieSession({ name: 's', keys: ['key'] })],
  ]
  test.each(MIDDLEWARES)('X9: the right code sent twice leaves the person verified, with %s', async (_name, make) => {
    const store = new MeetingStore(2)
    await start({ session: make(), otp: { store, now: Date.now } })
    for (let round = 0; round < 5; round++) {
      const { jar, code } = await host.asked({ ...ANA, id: `u${round}` })
      const answers = await Promise.all([guess(jar, code), guess(jar, code)])
      expect(tally(answers)).toEqual({ ok: 1, code_expired: 1 })
      // Whichever answer comes last, the browser must end up with the cookie of the one that succeeded.
      const second = answers.find(({ status }) => status === 422)
      expect(second?.headers['set-cookie']).toBeUndefined()
      await jar.get('/secret').expect(200)
    }
    await store.close()
  })

  test('X9: the second of two right answers at one moment goes back to the page, and does not bring the old id back', async () => {
    const store = new MeetingStore(2)
    await start({ otp: { store, now: Date.now } })
    const before = await login()
    await as(before).post('/2fa/send', {}).expect(200)
    const form = { code: host.mailbox.code }
    const post = () =>
      request(host.origin).post('/2fa/verify').set('Cookie', before).set(BROWSER).type('form').send(form)
    const answers = await Promise.all([post(), post()])
    const targets = answers.map((answer) => answer.get('Location')?.split('?')[0])
    expect(targets.sort()).toEqual(['/2fa', '/2fa/continue'])
    await as(before).get('/me').expect(200, { user: null, cart: null })
    await store.close()
  })

  test('X9: step-ups for four actions in one session keep a grant each', async () => {
    await start({
      after: (app, otp) => {
        for (let i = 0; i < 4; i++) {
          app.get(`/action${i}`, otp.requireOtp({ purpose: `action${i}` }), (_req, res) => void res.json({ i }))
        }
      },
      otp: { limits: { sendsPerUser: { capacity: 100, refill: 1 } } },
    })
    const jar = await host.signedIn()
    for (let i = 0; i < 4; i++) {
      const shut = await jar.get(`/action${i}`).expect(401)
      const sealed = (shut.body as { for: string }).for
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      await guess(jar, host.mailbox.code, { for: sealed }).expect(200)
    }
    for (let i = 0; i < 4; i++) await jar.get(`/action${i}`).expect(200)
  })
})

describe('cookie-session', () => {
  const cookies = () => cookieSession({ name: 's', keys: ['key'] })

  test('X10: it works without regenerate', async () => {
    await start({ session: cookies() })
    const jar = await host.signedIn()
    await jar.get('/secret').expect(401)
    await jar.post('/2fa/send').send({}).expect(200)
    await guess(jar, wrongCode(host.mailbox.code)).expect(422)
    await guess(jar, host.mailbox.code).expect(200)
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('X10: an old cookie gives back no guesses', async () => {
    await start({ session: cookies() })
    const before = await login()
    const asked = cookieOf(await as(before).post('/2fa/send', {}).expect(200))
    const { code } = host.mailbox
    for (let i = 0; i < 5; i++)
      await as(asked)
        .post('/2fa/verify', { code: wrongCode(code) })
        .expect(422)
    const right = await as(asked).post('/2fa/verify', { code }).expect(429)
    expect(right.body).toMatchObject({ code: 'code_exhausted' })
    await as(before).post('/2fa/verify', { code }).expect(422)

    // Sending again with the old cookie begins another code; the one that is used up never comes back.
    const again = cookieOf(await as(asked).post('/2fa/send', {}).expect(200))
    await as(asked).post('/2fa/verify', { code }).expect(429)
    await as(again).post('/2fa/verify', { code: host.mailbox.code }).expect(200)
  })

  test('X10: an old cookie makes no used code work again, and no spent grant', async () => {
    await start({ session: cookies() })
    const before = await login()
    const body = { amount: '5', payee: 'Ben' }
    const sealed = ((await as(before).post('/transfer', body).expect(401)).body as { for: string }).for
    const asked = cookieOf(await as(before).post('/2fa/send', { for: sealed }).expect(200))
    const attempt = { for: sealed, code: host.mailbox.code }
    const granted = cookieOf(await as(asked).post('/2fa/verify', attempt).expect(200))
    await as(asked).post('/2fa/verify', attempt).expect(422)
    const answers = await Promise.all([1, 2, 3].map(() => as(granted).post('/transfer', body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401])
    await as(granted).post('/transfer', body).expect(401)
    expect(host.transfers).toEqual([body])
  })

  test('X10: the cookie holds no code, and an altered one counts as none', async () => {
    await start({ session: cookies(), otp: { code: { digits: 12 } } })
    const asked = cookieOf(
      await as(await login())
        .post('/2fa/send', {})
        .expect(200),
    )
    const text = Buffer.from(/^s=([^;]*)/.exec(asked)?.[1] ?? '', 'base64').toString()
    expect(text).toContain('"emailOtp:/2fa"')
    expect(text).not.toContain(host.mailbox.code)
    const forged = text.replace('false,false', 'true,false')
    const cookie = asked.replace(/^s=[^;]*/, `s=${Buffer.from(forged).toString('base64')}`)
    await as(cookie).post('/2fa/verify', { code: host.mailbox.code }).expect(401)
  })
})

describe('one session, one identity', () => {
  test('B7: proving a second address ends what the first one was good for', async () => {
    await start({
      otp: { user: undefined as never, typedEmail: true },
      after: (app, otp) => {
        app.get('/action', otp.requireOtp({ purpose: 'action' }), (_req, res) => void res.send('done'))
        app.get('/status', (req, res, next) => void otp.status(req).then((status) => res.json(status), next))
      },
    })
    const jar = host.jar()
    const prove = async (page: string, email: string, mails: number): Promise<void> => {
      const { body } = await jar.get(page).expect(401)
      await jar.post('/2fa/send').send({ for: body.for, email }).expect(200)
      const received = (await host.mailbox.mails(mails))[mails - 1]
      await guess(jar, received ? codeIn(received) : '', { for: body.for }).expect(200)
    }
    await prove('/action', 'mallory@example.com', 1)
    await jar.get('/action').expect(200)
    const { body } = await jar.post('/2fa/send').send({ email: 'boss@example.com' }).expect(200)
    expect(body.delivery).toBe('queued')
    await guess(jar, codeIn((await host.mailbox.mails(2))[1] ?? host.mailbox.last)).expect(200)
    expect((await jar.get('/status')).body).toMatchObject({ email: 'boss@example.com', purposes: ['access'] })
    await jar.get('/action').expect(401)
  })

  test('X3: a session whose save gives a promise instead of calling back is waited for', async () => {
    const saved: unknown[] = []
    const session = { user: ANA, save: async () => void saved.push(await Promise.resolve('saved')) }
    const asPromise: RequestHandler = (req, _res, next) => {
      Object.assign(req, { session })
      next()
    }
    await start({ session: asPromise })
    await host.jar().post('/2fa/send').send({}).expect(200)
    await guess(host.jar(), host.mailbox.code).expect(200)
    expect(saved.length).toBeGreaterThanOrEqual(2)
    await host.jar().get('/secret').expect(200)
  })

  test('X3: a session store that never answers ends as 503, and the route stays shut', async () => {
    const silent = {
      user: ANA,
      save: () =>
        void setImmediate(() => {
          host.clock.tick(6)
        }), // past the time that a session store has to answer
    }
    await start({
      session: (req, _res, next) => {
        Object.assign(req, { session: silent })
        next()
      },
    })
    const answer = await host.jar().post('/2fa/send').send({})
    expect([answer.status, answer.body.code]).toEqual([503, 'store_unavailable'])
    await host.jar().get('/secret').expect(401)
  })

  test('X9: the last wrong guess, slow, does not take the place of the code that was asked for meanwhile', async () => {
    const store = new SlowRedeem()
    await start({ otp: { store, attempts: 1 } })
    const { jar, code } = await host.asked()
    const gate = store.hold()
    const wrong = guess(jar, wrongCode(code)).then((answer) => answer.body.code as unknown)
    await store.reached.opened
    await jar.post('/2fa/restart').send({}).expect(200)
    await jar.post('/2fa/send').send({}).expect(200)
    const next = host.mailbox.code
    expect(next).not.toBe(code)
    gate.open()
    expect(await wrong).toBe('wrong_code')
    await guess(jar, next).expect(200)
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('X1: with a rolling cookie, a wrong guess that is answered after the right one does not set the old id again', async () => {
    const store = new SlowRedeem()
    await start({ session: memorySession({ rolling: true }), otp: { store } })
    const { jar, code } = await host.asked()
    const gate = store.hold()
    const wrong = guess(jar, wrongCode(code)).then((answer) => answer)
    await store.reached.opened
    await guess(jar, code).expect(200)
    gate.open()
    expect((await wrong).get('Set-Cookie')).toBeUndefined()
    await jar.get('/secret').expect(200, 'the secret')
  })

  test.each([
    ['a right code', '/2fa/verify', 5, (code: string) => code, 200],
    ['a last wrong guess', '/2fa/verify', 1, wrongCode, 422],
    ['a restart', '/2fa/restart', 5, (code: string) => code, 200],
  ])('X1: %s keeps what the host wrote earlier in the same request', async (_what, page, attempts, typed, status) => {
    const inner = memorySession()
    const writing: RequestHandler = (req, res, next) => {
      inner(req, res, (error?: unknown) => {
        if (req.path === page) req.session.cart = ['from this very request']
        next(error)
      })
    }
    await start({ session: writing, otp: { attempts } })
    const { jar, code } = await host.asked()
    await jar
      .post(page)
      .send({ code: typed(code) })
      .expect(status)
    expect((await jar.get('/me')).body.cart).toEqual(['from this very request'])
  })

  test('X1: a sign-out while a right code is checked stays a sign-out', async () => {
    const store = new SlowRedeem()
    await start({
      otp: { store },
      after: (app) =>
        app.post('/sign-out', (req, res) => {
          req.session.destroy(() => res.json({}))
        }),
    })
    const { jar, code } = await host.asked()
    const gate = store.hold()
    const verified = guess(jar, code).then((answer) => answer.status)
    await store.reached.opened
    await jar.post('/sign-out').expect(200)
    gate.open()
    expect(await verified).toBe(503)
    expect((await jar.get('/me')).body.user).toBeNull()
    await jar.get('/secret').expect(401)
  })

  test('X1: restart beside verify brings no old id back', async () => {
    const store = new Sessions()
    await start({ session: memorySession({ store }) })
    for (let round = 0; round < 10; round++) {
      const { jar, code } = await host.asked({ id: `u${round}`, email: `u${round}@example.com` })
      await Promise.all([guess(jar, code), jar.post('/2fa/restart').send({})])
    }
    const all = await new Promise<Record<string, SessionData>>((resolve, reject) => {
      store.all((error, found) => (error ? reject(error as Error) : resolve(found ?? {})))
    })
    expect(Object.keys(all)).toHaveLength(10)
  })

  test.each([
    ['false', () => false as never, 401],
    ['an empty text', () => '' as never, 401],
    [
      'something to await that is no promise of Node’s own',
      () =>
        ({
          then: (done: (user: unknown) => void) => {
            done(ANA)
          },
        }) as never,
      200,
    ],
    [
      'such a thing that gives false',
      () =>
        ({
          then: (done: (user: unknown) => void) => {
            done(false)
          },
        }) as never,
      401,
    ],
  ])('a host whose `user` gives %s is understood', async (_what, user, status) => {
    await start({ otp: { user } })
    await host.jar().get('/2fa').set('Accept', 'application/json').expect(status)
  })
})
