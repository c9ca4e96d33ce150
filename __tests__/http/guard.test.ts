import { request as rawRequest } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { MemoryStore as Sessions, type SessionData } from 'express-session'
import request from 'supertest'
import { cookieOf, guess } from '../helpers/guessing.js'
import { ANA, BROWSER, Clock, HostApp, memorySession, NAVIGATE, sealedIn, submitCode } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { MemoryStore, type OtpStore } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const start = async (...[options]: Parameters<typeof HostApp.start>) => (host = await HostApp.start(options))

const TRANSFER = { amount: '50', payee: 'Ben' }

/** Session middleware that sets `req.session` to this object. */
const holding =
  (data: object): RequestHandler =>
  (req, _res, next) => {
    Object.assign(req, { session: data })
    next()
  }

describe('fail closed', () => {
  const never = () => new Promise<never>(() => undefined)
  const ANSWERS: [string, () => unknown][] = [
    ['undefined', () => undefined],
    ['null', () => null],
    ['{}', () => ({})],
    ['true', () => true],
    ['1', () => 1],
    ['a string', () => 'redeemed'],
    ['a list', () => ['redeemed']],
    ['a function', () => () => ({ outcome: 'redeemed' })],
    ['an outcome in a list', () => ({ outcome: ['redeemed', 'opened', 'spent'] })],
    ['an outcome of another name', () => ({ outcome: 'ok', id: 'x', kind: 'short', expiresIn: 600 })],
    ['an outcome that is inherited', () => Object.create({ outcome: 'redeemed' }) as unknown],
    ['the outcome of another operation', () => ({ outcome: 'toString' })],
    ['something that JSON cannot write', () => ({ outcome: 1n })],
    ['an error, thrown', () => { throw new Error('down') }], // prettier-ignore
    ['an error, rejected', () => Promise.reject(new Error('down'))],
    ['nothing, ever', never],
  ]

  test.each(ANSWERS)(
    'X3: a store that answers %s ends in 503, and the guarded handler is not called',
    async (_name, answer) => {
      const clock = new Clock()
      const memory = new MemoryStore({ now: clock.now })
      let broken: 'open' | 'redeem' | 'spend' | null = null
      const breakable = <A, R>(operation: keyof OtpStore, real: (request: A) => Promise<R>) =>
        (request: A): Promise<R> => {
          if (operation !== broken) return real(request)
          setImmediate(() => { clock.tick(3) }) // past the time that a store has to answer
          return answer() as Promise<R>
        } // prettier-ignore
      const store: OtpStore = {
        open: breakable('open', (request) => memory.open(request)),
        redeem: breakable('redeem', (request) => memory.redeem(request)),
        spend: breakable('spend', (request) => memory.spend(request)),
      }
      await start({ otp: { store, now: clock.now } })
      const jar = await host.signedIn()
      const shut = await jar.post('/transfer').send(TRANSFER).expect(401)
      const stepUp = { for: (shut.body as { for: string }).for }

      broken = 'open'
      const sending = await jar.post('/2fa/send').send(stepUp).expect(503)
      expect(sending.body).toMatchObject({ code: 'store_unavailable' })
      expect(host.mailbox.received).toHaveLength(0)
      broken = null
      await jar.post('/2fa/send').send(stepUp).expect(200)
      const { code } = host.mailbox
      broken = 'redeem'
      await guess(jar, code, stepUp).expect(503)
      const page = await jar
        .post('/2fa/verify')
        .set(BROWSER)
        .type('form')
        .send({ ...stepUp, code })
        .expect(503)
      expect(page.text).not.toMatch(/down|OtpError|store failed|at \w+ \(/)
      await jar.get('/secret').expect(401)
      broken = null
      await guess(jar, code, stepUp).expect(200)
      broken = 'spend'
      await jar.post('/transfer').send(TRANSFER).expect(503)
      expect(host.transfers).toEqual([])
      broken = null
      await jar.post('/transfer').send(TRANSFER).expect(200)
      await memory.close()
    },
  )

  test.each([
    ['there is no session middleware', undefined],
    ['the session is null', null],
    ['the session is a string', 'verified'],
    ['the session is true', true],
  ])('X3: when %s, guard and pages answer 503', async (_name, value) => {
    let isCalled = false
    await start({
      session: holding({}),
      before: (app) => {
        const sessionless: RequestHandler = (req, _res, next) => {
          Object.assign(req, { session: value })
          next()
        }
        // The host's plugin is made after this, so that its guard is reached through `host`.
        app.get('/bare', sessionless, (req, res, next) => {
          host.otp.requireOtp()(req, res, next)
        })
        app.get('/bare', (_req, res) => {
          isCalled = true
          res.send('the secret')
        })
        app.use('/2fa', sessionless, (req, res, next) => {
          Object.assign(req, { session: value })
          host.otp.router(req, res, next)
        })
      },
    })
    const answer = await host.jar().get('/bare').set('Accept', 'application/json').expect(503)
    expect(answer.body).toMatchObject({ code: 'store_unavailable' })
    await host.jar().get('/bare').set(NAVIGATE).expect(503)
    await host.jar().get('/2fa').expect(503)
    const onward = await host.jar().get('/2fa/continue').set(NAVIGATE).expect(503)
    expect(onward.get('Refresh')).toBeUndefined()
    await host.jar().post('/2fa/send').send({}).expect(503)
    await host.jar().post('/2fa/verify').send({ code: '123456' }).expect(503)
    expect(isCalled).toBe(false)
  })

  test('X3: the guard refuses while the session store is disconnected, and works when it is back', async () => {
    const store = new Sessions()
    await start({ session: memorySession({ store }) })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    store.emit('disconnect')
    const shut = await jar.get('/secret').expect(503)
    expect(shut.text).not.toContain('the secret')
    await jar.post('/2fa/verify').send({ code }).expect(503)
    await jar.get('/2fa').set(NAVIGATE).expect(503)
    store.emit('connect')
    await jar.get('/secret').expect(200)
  })

  test('X3: the guard never opens when the session store cannot read', async () => {
    class Unreadable extends Sessions {
      isDown = false
      override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
        if (this.isDown) done(new Error('cannot read'))
        else super.get(id, done)
      }
    }
    const store = new Unreadable()
    await start({
      session: memorySession({ store }),
      after: (app) => {
        // It is express-session's own error, and the host's to answer.
        const broken: ErrorRequestHandler = (_error, _req, res, next) => {
          if (res.headersSent) next()
          else res.status(500).send('broken')
        }
        app.use(broken)
      },
    })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    store.isDown = true
    await jar.get('/secret').expect(500, 'broken')
  })

  test('X3: a session that cannot be written down fails its own request and harms no other', async () => {
    await start({
      otp: {
        onVerified: (req) => {
          Object.assign(req.session, { balance: 1n }) // JSON.stringify throws at this, also inside res.end()
        },
      },
    })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(503)
    await jar.get('/secret').expect(401)
    const other = await host.asked({ ...ANA, id: 'other' })
    await other.jar.get('/secret').expect(401)
  })

  test.each<[string, () => unknown, number?]>([
    ['throws', () => { throw new Error('no database') }], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['gives true', () => true],
    ['gives a number', () => 1],
    ['gives a name', () => 'ana'],
    ['gives an empty object', () => ({})],
    ['gives somebody without an id', () => ({ email: ANA.email })],
    ['gives an empty id', () => ({ id: '', email: ANA.email })],
    ['gives NaN for an id', () => ({ id: Number.NaN, email: ANA.email })],
    ['gives two addresses', () => ({ id: 'u1', email: 'ana@example.com,eve@example.org' }), 403],
    ['gives a list of addresses', () => ({ id: 'u1', email: [ANA.email] }), 403],
    ['gives a promise of a promise of nothing', () => Promise.resolve(Promise.resolve({}))],
  ])('X3: a host whose user() %s keeps the door shut', async (_name, user, status = 500) => {
    const session = holding({ [KEY]: JSON.stringify([[], [GRANT], [IDENTITY]]) })
    await start({ otp: { user: user as () => null }, session })
    await host.jar().get('/secret').expect(status)
    await host.jar().get('/secret').set(NAVIGATE).expect(status)
    await host.jar().post('/2fa/send').send({}).expect(status)
    expect(host.mailbox.received).toHaveLength(0)
  })

  test.each([Number.NaN, undefined, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 'now'])(
    'X3: a clock that gives %p opens nothing',
    async (time) => {
      let isBroken = false
      const store = new MemoryStore()
      await start({
        otp: { store, now: () => (isBroken ? (time as number) : Date.now()) },
      })
      const { jar, code } = await host.asked()
      await guess(jar, code).expect(200)
      await jar.get('/secret').expect(200)
      isBroken = true
      const answer = await jar.get('/secret')
      expect(answer.status).toBeGreaterThanOrEqual(400)
      await store.close()
    },
  )
})

const KEY = 'emailOtp:/2fa'
const IDENTITY = ['user', 'u1', 'ana@example.com', '']
const AT = Date.parse('2030-01-01T14:22:00Z')
const GRANT = ['g', AT, 'access', null, 0]

describe('opens on an explicit, well-formed grant only', () => {
  const slot = (grants: unknown, identities: unknown = [IDENTITY], challenges: unknown = []) =>
    JSON.stringify([challenges, grants, identities])
  const GOOD = slot([GRANT])
  const withValue = (index: number, value: unknown) => slot([GRANT.with(index, value as never)])
  const ownedBy = (...identities: unknown[]) => slot([GRANT], identities)
  const inherited = (value: object): object => Object.create(value) as object

  const SLOTS: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ["'true'", 'true'],
    ['1', 1],
    ['{}', {}],
    ['[]', []],
    ['an empty text', ''],
    ['a text that is no JSON', `${GOOD}!`],
    ['the slot as a list', JSON.parse(GOOD)],
    ['the slot as a text of a text', JSON.stringify(GOOD)],
    ['a list of slots', [GOOD]],
    ['a String object', Object(GOOD)],
    ['an object of lists', JSON.stringify({ 0: [], 1: [GRANT], 2: [IDENTITY], length: 3 })],
    ['a bare grant', JSON.stringify(GRANT)],
    ['a list of grants', JSON.stringify([GRANT])],
    ['a grant in place of a challenge', slot([], [IDENTITY], [GRANT])],
    ['{ verified: true }', JSON.stringify({ verified: true })],
    ['grants: true', slot(true)],
    ['grants: {}', slot({})],
    ['grants: a grant', slot(GRANT)],
    ['grants by index', slot({ 0: GRANT, length: 1 })],
    ['grants as text', slot(JSON.stringify([GRANT]))],
    ['a list of true', slot([true])],
    ['a list of null', slot([null])],
    ['a list of empty lists', slot([[]])],
    ['a list of objects', slot([{ id: 'g', at: AT, purpose: 'access', details: null, identity: 0 }])],
    ['a list in a list', slot([[GRANT]])],
    ['a grant as text', slot([JSON.stringify(GRANT)])],
    ['a grant with a value too few', slot([GRANT.slice(1)])],
    ['a grant with a value too many', slot([[...GRANT, 0]])],
    ['`id` a number', withValue(0, 1)],
    ['`at` as text', withValue(1, String(AT))],
    ['`at` as a date', withValue(1, new Date(AT))],
    ['`at` true', withValue(1, true)],
    ['`at` null', withValue(1, null)],
    ['`at` Infinity', GOOD.replace(String(AT), '1e999')],
    ['`at` in the far future', withValue(1, AT + 61_000)],
    ['`at` beyond the age', withValue(1, AT - 43_200_000)],
    ['`at` in seconds', withValue(1, AT / 1000)],
    ['`purpose` a list', withValue(2, ['access'])],
    ['`details` an object', withValue(3, {})],
    ['no identity', withValue(4, null)],
    ['an identity that is a name', withValue(4, 'u1')],
    ['an identity that is a list', withValue(4, IDENTITY)],
    ['an identity beyond the list', withValue(4, 1)],
    ['an identity before the list', withValue(4, -1)],
    ['an identity between two', withValue(4, 0.5)],
    ['an identity by the text of its index', withValue(4, '0')],
    ['an identity by a member of all lists', withValue(4, 'length')],
    ['no identities', slot([GRANT], null)],
    ['identities by index', slot([GRANT], { 0: IDENTITY })],
    ['an identity of another type', ownedBy(IDENTITY.with(0, 'address'))],
    ['an identity of an unknown type', ownedBy(IDENTITY.with(0, 'admin'))],
    ['another identity', ownedBy(IDENTITY.with(1, 'u2'))],
    ['an identity with a number for an id', ownedBy(IDENTITY.with(1, 1 as never))],
    ['an identity with a list for an id', ownedBy(IDENTITY.with(1, ['u1'] as never))],
    ['an identity with another address', ownedBy(IDENTITY.with(2, 'eve@example.org'))],
    ['an identity with another version', ownedBy(IDENTITY.with(3, '1'))],
    ['an identity with a number for a version', ownedBy(IDENTITY.with(3, 0 as never))],
    ['an identity without version', ownedBy(IDENTITY.slice(0, 3))],
    ['__proto__ from JSON', `{"__proto__":${GOOD}}`],
  ]

  test('X4: a well-formed grant opens, which shows that the others below could', async () => {
    await start({ session: holding({ user: ANA, [KEY]: GOOD }) })
    await host.jar().get('/secret').expect(200, 'the secret')
  })

  test.each(SLOTS)('X4: with %s in the slot the guard refuses, and the pages work', async (_name, stored) => {
    await start({ session: holding({ user: ANA, [KEY]: stored }) })
    await host.jar().get('/secret').expect(401)
    await host.jar().get('/secret').set(NAVIGATE).expect(303)
    await host.jar().get('/2fa').set(NAVIGATE).expect(200)
    await guess(host.jar(), '123456').expect(422)
    await host.jar().post('/2fa/send').send({}).expect(200)
  })

  test('X4: a whole slot that the session inherits counts for nothing', async () => {
    const data = Object.assign(inherited({ [KEY]: GOOD }), { user: ANA })
    await start({ session: holding(data) })
    await host.jar().get('/secret').expect(401)
  })

  /** As after a prototype pollution somewhere in the host. */
  async function polluted(fields: object, act: () => Promise<void>): Promise<void> {
    for (const [name, value] of Object.entries(fields)) {
      // A setter that keeps own properties working: only what is missing is inherited.
      Object.defineProperty(Object.prototype, name, {
        value,
        configurable: true,
        writable: true,
        enumerable: false,
      })
    }
    try {
      await act()
    } finally {
      for (const name of Object.keys(fields)) Reflect.deleteProperty(Object.prototype, name)
    }
  }

  test.each([
    ['the slot', { [KEY]: GOOD }, {}],
    ['its grants', { 0: [], 1: [GRANT], 2: [IDENTITY], verified: true }, { [KEY]: '[]' }],
    ['the values of a grant', { 1: AT, 2: 'access', 3: null, 4: 0 }, { [KEY]: slot([['g']]) }],
    ['the values of an identity', Object.assign({}, IDENTITY), { [KEY]: ownedBy([]) }],
  ])('X4: polluting Object.prototype with %s opens nothing', async (_name, fields, held) => {
    await start({ session: holding({ user: ANA, ...held }) })
    await polluted(fields, async () => {
      await host.jar().get('/secret').expect(401)
    })
  })

  test('X4: polluting Object.prototype with an outcome makes no empty answer of a store a success', async () => {
    const memory = new MemoryStore()
    const store: OtpStore = {
      open: (request) => memory.open(request),
      redeem: () => Promise.resolve({} as never),
      spend: () => Promise.resolve({} as never),
    }
    await start({ otp: { store, now: Date.now } })
    const { jar } = await host.asked()
    await polluted({ outcome: 'redeemed' }, async () => {
      await guess(jar, '123456').expect(503)
    })
    await jar.get('/secret').expect(401)
    await memory.close()
  })
})

describe('age', () => {
  test('X5: maxAge counts from the verification, and polling does not refresh it', async () => {
    await start({
      after: (app, otp) => {
        app.get('/recent', otp.requireOtp({ maxAge: 300 }), (_req, res) => void res.send('recent'))
      },
    })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    for (let second = 0; second < 299; second += 13) {
      await jar.get('/recent').expect(200)
      await jar.get('/2fa').expect(200)
      host.clock.tick(13)
    }
    await jar.get('/recent').expect(200)
    host.clock.tick(2)
    const shut = await jar.get('/recent').expect(401)
    expect(shut.body).toMatchObject({ max_age: 300 })
    await jar.get('/secret').expect(200)

    const sealed = (shut.body as { for: string }).for
    const state = await jar.get('/2fa').query({ for: sealed }).set('Accept', 'application/json').expect(200)
    expect(state.body).toMatchObject({ state: 'send' })
  })

  test('X5: a plain route stays open for twelve hours and not a second longer', async () => {
    await start()
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    host.clock.tick(43_199)
    await jar.get('/secret').expect(200)
    host.clock.tick(1)
    await jar.get('/secret').expect(401)
  })

  test('X5: a details grant is as short-lived as its guard says, used or not', async () => {
    await start()
    const jar = await host.signedIn()
    const shut = await jar.post('/transfer').send(TRANSFER).expect(401)
    const stepUp = { for: (shut.body as { for: string }).for }
    await jar.post('/2fa/send').send(stepUp).expect(200)
    await guess(jar, host.mailbox.code, stepUp).expect(200)
    host.clock.tick(301)
    await jar.post('/transfer').send(TRANSFER).expect(401)
    await jar.get('/secret').expect(200)
  })
})

describe('bodies', () => {
  test('X6: a stopped POST is not repeated after verifying: the redirect is a GET', async () => {
    const asked: string[] = []
    await start({
      before: (app) => {
        app.use((req, _res, next) => {
          asked.push(`${req.method} ${req.path}`)
          next()
        })
      },
    })
    const jar = await host.signedIn()
    const post = (page: string, body: object) => jar.post(page).set(NAVIGATE).type('form').send(body)
    const led = await post('/transfer', TRANSFER).set('Referer', `${host.origin}/accounts?from=1`).expect(303)
    const page = led.get('Location') ?? ''
    expect(page).toMatch(/^\/2fa\?for=/)
    const sealed = Buffer.from(page.replace(/.*for=/, ''), 'base64url').toString('latin1')
    expect(sealed).not.toContain('EUR to Ben')
    const offer = await jar.get(page).set(NAVIGATE).expect(200)
    expect(offer.text).toContain('Send 50 EUR to Ben')
    const stepUp = { for: sealedIn(offer.text) }
    await post('/2fa/send', stepUp).expect(303)
    asked.splice(0)
    expect(await submitCode(jar, { ...stepUp, code: host.mailbox.code })).toBe('/accounts?from=1')
    expect(asked).toEqual(['POST /2fa/verify', 'GET /2fa/continue'])
    expect(host.transfers).toEqual([])
    await post('/transfer', TRANSFER).expect(200)
    expect(host.transfers).toEqual([TRANSFER])
  })

  test('X6: without a page of our own to go back to, it is home', async () => {
    await start()
    const jar = await host.signedIn()
    for (const referer of [undefined, 'https://evil.example/transfer', `${host.origin}/2fa/verify`]) {
      const post = jar.post('/transfer').set(NAVIGATE).type('form')
      const led = await (referer ? post.set('Referer', referer) : post).send(TRANSFER).expect(303)
      const state = await jar
        .get(led.get('Location') ?? '')
        .set('Accept', 'application/json')
        .expect(200)
      const stepUp = { for: new URL(led.get('Location') ?? '', host.origin).searchParams.get('for') }
      expect(state.body).toMatchObject({ purpose: 'transfer' })
      await jar.post('/2fa/restart').send(stepUp).expect(200)
      await jar.post('/2fa/send').send(stepUp).expect(200)
      const done = await guess(jar, host.mailbox.code, stepUp).expect(200)
      expect(done.body).toMatchObject({ return_to: '/' })
      host.clock.tick(6_000)
    }
    expect(host.transfers).toEqual([])
  })
})

describe('spellings of one address', () => {
  /** A request as it is, without a client that tidies the path up. */
  function raw(method: string, path: string, headers: object = {}): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const { port } = new URL(host.origin)
      const req = rawRequest({ port, host: '127.0.0.1', method, path, headers: { ...headers } }, (res) => {
        let text = ''
        res.setEncoding('utf8')
        res.on('data', (part: string) => (text += part))
        res.on('end', () => {
          resolve({ status: res.statusCode ?? 0, text: text + JSON.stringify(res.headers) })
        })
      })
      req.on('error', reject)
      req.end()
    })
  }

  let calls: string[] = []
  /** Starts the host with its routes; gives the cookie of a user who has signed in and not verified. */
  async function guarded(): Promise<string> {
    calls = []
    await start({
      after: (app, otp) => {
        app.all('/any', otp.requireOtp(), (req, res) => {
          calls.push(`${req.method} ${req.originalUrl}`)
          res.send('the secret')
        })
        app.use('/under', otp.requireOtp())
        app.all('/under/deep/page', (req, res) => {
          calls.push(`${req.method} ${req.originalUrl}`)
          res.send('the secret')
        })
      },
    })
    return cookieOf(await host.jar().post('/login').send({ user: ANA }).expect(200))
  }

  const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'REPORT']
  const MATCHING = [
    '/any',
    '/ANY',
    '/Any',
    '/any/',
    '/any?',
    '/any?x=/2fa',
    '/any#x',
    '/under/deep/page',
    '/UNDER/deep/PAGE',
  ]
  const ODD = [
    '/any%2f', '/any%2F', '/any%2F..%2fany', '//any', '/./any', '/x/../any', '/2fa/../any', '/2fa/..%2fany', '/any;x=1',
    '/%61ny', '/any%00', '/any%20', '/any.json', '/any//', '/under//deep/page', '/under%2fdeep/page', '/UNDER/../under/deep/page',
    '/under/deep%2fpage', '//under/deep/page', '/under/./deep/page', '/2fa/any', '/2fa/..;/any', '\\any', '/any\\', '/%252e%252e/any',
  ] // prettier-ignore

  test('X7: method, case and trailing slash change nothing: 401 each time, and no handler', async () => {
    const cookie = await guarded()
    for (const method of METHODS) {
      for (const path of MATCHING) {
        const headers = { Cookie: cookie, Accept: 'application/json' }
        const answer = await raw(method, path, headers)
        expect([method, path, answer.status]).toEqual([method, path, 401])
        const led = await raw(method, path, { Cookie: cookie, ...NAVIGATE })
        expect([method, path, led.status]).toEqual([method, path, 303])
      }
    }
    expect(calls).toEqual([])
  })

  test('X7: no odd spelling reaches the handler', async () => {
    const cookie = await guarded()
    for (const path of ODD) {
      for (const method of METHODS) {
        const answer = await raw(method, path, { Cookie: cookie })
        expect([method, path, answer.text.includes('the secret')]).toEqual([method, path, false])
      }
    }
    expect(calls).toEqual([])
  })

  test('X7: HEAD of a page that only has a GET is guarded too, and OPTIONS shows no more than the methods', async () => {
    const cookie = await guarded()
    for (const path of ['/secret', '/SECRET', '/secret/', '/Secret?x']) {
      expect((await raw('HEAD', path, { Cookie: cookie })).status).toBe(401)
      expect((await raw('GET', path, { Cookie: cookie })).status).toBe(401)
      const options = await raw('OPTIONS', path, { Cookie: cookie }) // Express' own answer; it runs no handler
      expect([options.status, options.text.includes('the secret')]).toEqual([200, false])
    }
  })

  test('X7: HEAD and OPTIONS of our own pages send and consume nothing', async () => {
    const cookie = await guarded()
    const post = (page: string, body: object) => request(host.origin).post(page).set('Cookie', cookie).send(body)
    await post('/2fa/send', {}).expect(200)
    const { code } = host.mailbox
    for (const method of ['HEAD', 'OPTIONS', 'GET', 'PUT', 'DELETE', 'PATCH']) {
      for (const path of [
        '/2fa',
        '/2fa/',
        '/2FA/SEND',
        '/2fa/send',
        '/2fa/verify',
        '/2fa/verify?code=123456',
        '/2fa/restart',
      ]) {
        const { status } = await raw(method, path, { Cookie: cookie, Accept: 'text/html' })
        expect([method, path, status < 500]).toEqual([method, path, true])
      }
    }
    expect(host.mailbox.received).toHaveLength(1)
    for (let i = 0; i < 4; i++) await post('/2fa/verify', { code: wrongCode(code) }).expect(422)
    await post('/2fa/verify', { code }).expect(200)
  })
})

test('X4: a guard with wrong options throws when it is made', async () => {
  const { otp } = await start()
  for (const purpose of ['', 'Transfer', 'a b', '__proto__', 'x'.repeat(65), null, 1, {}]) {
    expect(() => otp.requireOtp({ purpose: purpose as string })).toThrow(/`purpose`/)
  }
  // A binding that is not one must not be dropped in silence.
  for (const wrong of [null, false, '', 0, { amount: 1 }, 'amount']) {
    expect(() => otp.requireOtp({ details: wrong as never })).toThrow(/`details`/)
    expect(() => otp.requireOtp({ describe: wrong as never })).toThrow(/`describe`/)
  }
})
