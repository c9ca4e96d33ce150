import type { ErrorRequestHandler, Request } from 'express'
import { MemoryStore as Sessions } from 'express-session'
import { guess } from '../helpers/guessing.js'
import {
  type Agent,
  ANA,
  BEN,
  HostApp,
  type HostOptions,
  JSON_CLIENT,
  memorySession,
  NAVIGATE,
} from '../helpers/host-app.js'
import {
  type CheckResult,
  emailOtp,
  type GuardOptions,
  MemoryStore,
  OtpError,
  type OtpStore,
  type OtpUser,
} from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const PAY: GuardOptions = {
  purpose: 'pay',
  maxAge: 300,
  details: (req: Request) => ({ amount: (req.body as { amount: string }).amount }),
  describe: (req: Request) => `Pay ${(req.body as { amount: string }).amount} EUR`,
}

let results: unknown[] = []
let paid: string[] = []

/** A host that has no guard but `check`: `/page` for plain access, `/pay` for one payment. */
async function checking(options: HostOptions = {}): Promise<HostApp> {
  results = []
  paid = []
  host = await HostApp.start({
    ...options,
    after: (app, otp) => {
      options.after?.(app, otp)
      app.get('/page', async (req: Request, res) => void res.json(await otp.check(req)))
      app.all('/pay', async (req: Request, res) => {
        const result = await otp.check(req, PAY)
        results.push(result)
        if (result.verified) paid.push((req.body as { amount: string }).amount)
        res.status(result.verified ? 200 : 401).json(result)
      })
      app.all('/guarded', otp.requireOtp({ purpose: 'pay', maxAge: 300 }), (_req, res) => void res.send('open'))
      const remember: ErrorRequestHandler = (error: unknown, _req, res, next) => {
        results.push(error)
        if (res.headersSent) next(error)
        else res.status(599).json({})
      }
      app.use(remember)
    },
  })
  return host
}

const pay = (jar: Agent, amount: string) => jar.post('/pay').send({ amount })

/** Verifies what `check` asks for. */
async function verify(jar: Agent, result: unknown): Promise<void> {
  const { problem } = result as { problem: { for: string } }
  await jar.post('/2fa/send').send({ for: problem.for }).expect(200)
  await guess(jar, host.mailbox.code, { for: problem.for }).expect(200)
}

describe('otp.check()', () => {
  test('gives the page for the code and the problem that a guard answers, then `verified`', async () => {
    await checking()
    const jar = await host.signedIn()
    const { body } = await jar.get('/page').set(NAVIGATE).expect(200)
    const guarded = await jar.get('/secret').set(JSON_CLIENT).expect(401)
    const sealed = (body as { problem: { for: string } }).problem.for
    expect(body).toEqual({
      verified: false,
      url: `/2fa?for=${sealed}`,
      problem: { ...guarded.body, for: sealed, page_url: `/2fa?for=${sealed}` },
    })
    await verify(jar, body)
    expect((await jar.get('/page').expect(200)).body).toEqual({ verified: true })
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('B4: takes purpose, maxAge, details, description and return page of a guard', async () => {
    await checking()
    const jar = await host.signedIn()
    const { body } = await pay(jar, '5').set('Referer', `${host.origin}/form`).expect(401)
    expect(body.problem).toMatchObject({ code: 'otp_required', status: 401, purpose: 'pay', max_age: 300 })
    expect(
      (
        await jar
          .get(body.url as string)
          .set(NAVIGATE)
          .expect(200)
      ).text,
    ).toContain('Pay 5 EUR')
    await jar.post('/2fa/send').send({ for: body.problem.for }).expect(200)
    const done = await guess(jar, host.mailbox.code, { for: body.problem.for }).expect(200)
    expect(done.body.return_to).toBe('/form')
    await pay(jar, '50').expect(401)
    await pay(jar, '5').expect(200)
    expect(paid).toEqual(['5'])
  })

  test('B5: uses a grant bound to details up: of many calls at once one is verified', async () => {
    await checking()
    const jar = await host.signedIn()
    await verify(jar, (await pay(jar, '5')).body)
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay(jar, '5')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await pay(jar, '5').expect(401)
    expect(paid).toEqual(['5'])
  })

  test('B2: a grant counts for its user alone, also in the same session', async () => {
    await checking()
    const jar = await host.signedIn()
    await verify(jar, (await pay(jar, '5')).body)
    await jar.post('/login').send({ user: BEN }).expect(200)
    await pay(jar, '5').expect(401)
    expect(paid).toEqual([])
  })

  test('gives `signIn` with the page to come back to when nobody is signed in, and null without it', async () => {
    const signIn = (_req: unknown, returnTo: string): string => `/login?next=${encodeURIComponent(returnTo)}`
    await checking({ otp: { signIn } })
    const { body } = await host.jar().get('/page?x=1').expect(200)
    expect(body).toMatchObject({ verified: false, url: '/login?next=%2Fpage%3Fx%3D1' })
    expect(body.problem).toMatchObject({ code: 'sign_in_required', status: 401 })
    await host.close()
    await checking()
    expect((await host.jar().get('/page').expect(200)).body).toMatchObject({
      url: null,
      problem: { code: 'sign_in_required' },
    })
  })

  test('tells a user without a usable address, with a `failed` event', async () => {
    await checking()
    const jar = await host.signedIn({ id: 'u7', email: null } as unknown as OtpUser)
    const { body } = await jar.get('/page').expect(200)
    expect(body).toMatchObject({ verified: false, url: '/2fa', problem: { code: 'no_address', status: 403 } })
    expect(host.events).toMatchObject([{ type: 'failed', outcome: 'invalid_user' }])
  })

  test('speaks the language of the user', async () => {
    await checking()
    const jar = await host.signedIn({ ...ANA, locale: 'en' })
    expect((await jar.get('/page')).body.problem.detail).toBe('This needs a code from your mailbox first.')
  })

  test('X8: writes no session', async () => {
    const store = new Sessions()
    await checking({ session: memorySession({ store }) })
    const jar = await host.signedIn()
    const set = jest.spyOn(store, 'set')
    await jar.get('/page').expect(200)
    await pay(jar, '5').expect(401)
    expect(set).not.toHaveBeenCalled()
    expect(host.events).toEqual([])
  })

  test('in front of our pages or of the sign-in is no error: it redirects nobody', async () => {
    const seen: CheckResult[] = []
    await checking({
      otp: { signIn: '/login' },
      after: (app, otp) => {
        app.get('/login', async (req: Request, res) => {
          seen.push(await otp.check(req))
          res.send('sign in here')
        })
      },
    })
    await host.jar().get('/login').set(NAVIGATE).expect(200)
    expect(seen).toMatchObject([{ verified: false, url: '/login' }])
  })
})

describe('X3: otp.check() throws an OtpError, and never says `verified`, when', () => {
  const expectError = (code: string): void => {
    const error = results.at(-1)
    expect(error).toBeInstanceOf(OtpError)
    expect(error).toMatchObject({ code })
    expect(paid).toEqual([])
  }

  test.each(['down', 'silent', 'odd'])('the store is %s', async (how) => {
    const clock = { ms: 1_000_000 }
    const memory = new MemoryStore()
    let isBroken = false
    const store: OtpStore = {
      open: (request) => memory.open(request),
      redeem: (request) => memory.redeem(request),
      spend: (request) => {
        if (!isBroken) return memory.spend(request)
        if (how === 'down') throw new Error('down')
        if (how === 'odd') return Promise.resolve({} as never)
        setImmediate(() => (clock.ms += 3_000))
        return new Promise(() => undefined)
      },
    }
    await checking({ otp: { store, now: () => clock.ms } })
    const jar = await host.signedIn()
    await verify(jar, (await pay(jar, '5')).body)
    isBroken = true
    await pay(jar, '5').expect(599)
    expectError('store_unavailable')
    await memory.close()
  })

  test('there is no session', async () => {
    await checking({
      before: (app) => {
        app.get('/bare', async (req: Request, res, next) => {
          await host.otp.check(req).then((result) => res.json(result), next)
        })
      },
      after: () => undefined,
    })
    await host.jar().get('/bare').expect(599)
    expectError('session_unavailable')
  })

  test('`user` throws, `details` are no JSON, or `signIn` gives no path', async () => {
    await checking({
      otp: {
        user: (req) => {
          if (req.get('x-user') === 'broken') throw new Error('down')
          return req.get('x-user') === 'ana' ? ANA : null
        },
        signIn: () => 'https://evil.example',
      },
      after: (app, otp) => {
        const NAN: GuardOptions = { details: () => NaN }
        app.get('/nan', async (req: Request, res) => void res.json(await otp.check(req, NAN)))
      },
    })
    await host.jar().get('/page').set('x-user', 'broken').expect(599)
    expectError('host_callback')
    await host.jar().get('/nan').set('x-user', 'ana').expect(599)
    expectError('invalid_details')
    await host.jar().get('/page').expect(599)
    expectError('host_callback')
  })
})

describe('the options of otp.check()', () => {
  const options = {
    secret: 'x'.repeat(32),
    site: { name: 'Acme' },
    mail: { transport: 'smtp://127.0.0.1:1', from: 'no-reply@acme.example' },
    user: () => ANA,
  }

  test.each<[unknown, string]>([
    [{ purpos: 'pay' }, 'check: unknown option `purpos`. Did you mean "purpose"?'],
    [{ purpose: 'Not One' }, 'check: option `purpose` is "Not One".'],
    [{ maxAge: 0 }, 'check: option `maxAge` is 0.'],
    [{ details: { amount: 1 } }, 'check: option `details` is'],
    [{ returnTo: '//evil.example' }, 'check: option `returnTo` is "//evil.example".'],
    [null, 'check: option `options` is not usable.'],
    ['pay', 'check: option `options` is not usable.'],
  ])('%j are refused with an error that names it, at each call', async (wrong, message) => {
    host = await HostApp.start()
    const otp = emailOtp(options)
    for (let call = 0; call < 2; call++) {
      const error: unknown = await otp.check({} as never, wrong as never).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringContaining(message) as string })
    }
    await otp.close()
  })

  test('are read once for each object, and once for each plugin', async () => {
    let reads = 0
    const counted: GuardOptions = {
      get purpose() {
        reads += 1
        return 'pay'
      },
    }
    await checking({
      after: (app, otp) =>
        void app.get('/counted', async (req: Request, res) => void res.json(await otp.check(req, counted))),
    })
    const jar = await host.signedIn()
    for (let i = 0; i < 3; i++) expect((await jar.get('/counted')).body.problem.purpose).toBe('pay')
    expect(reads).toBe(1)
    const strict = emailOtp({ ...options, grantMaxAge: 60 })
    const request = { session: {}, headers: {}, method: 'GET', originalUrl: '/', acceptsLanguages: () => false }
    const own: GuardOptions = { ...PAY, details: () => 1, describe: () => '' }
    await expect(strict.check(request as never, own)).rejects.toThrow('With `details` give at most `grantMaxAge`, 60')
    const result = await strict.check(request as never, counted)
    expect(result).toMatchObject({ verified: false, problem: { max_age: 60 } })
    expect(reads).toBe(2)
    await strict.close()
  })
})
