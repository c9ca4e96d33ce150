import cluster from 'node:cluster'
import path from 'node:path'
import express, { type Request, type RequestHandler } from 'express'
import { guess } from '../helpers/guessing.js'
import type * as HostModule from '../helpers/host-app.js'
import { type HostApp, type HostOptions, memorySession, NAVIGATE } from '../helpers/host-app.js'
import { viewsFolder } from '../helpers/views-folder.js'
import type * as PluginModule from '../../src/index.js'
import type { EmailOtp, OtpOptions } from '../../src/index.js'

const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
afterAll(() => {
  warn.mockRestore()
})

let host: HostApp | null = null
const plugins: EmailOtp[] = []
beforeEach(() => {
  // A process warns once, so each test has a copy of the plugin of its own.
  jest.resetModules()
  warn.mockClear()
})
afterEach(async () => {
  for (const plugin of plugins.splice(0)) await plugin.close()
  await host?.close()
  host = null
})

const fresh = (): typeof PluginModule => jest.requireActual('../../src/index.js')

async function start(options: HostOptions = {}): Promise<HostApp> {
  const { HostApp: Fresh } = jest.requireActual<typeof HostModule>('../helpers/host-app.js')
  return (host = await Fresh.start(options))
}

/** The codes of the warnings so far. Their texts name the heading that describes them. */
function codes(): string[] {
  return warn.mock.calls.map(([text, details]) => {
    const { type, code } = details as unknown as { type: string; code: string }
    expect(type).toBe('ExpressEmailOtpWarning')
    expect(text).toMatch(new RegExp(`\\. See docs/troubleshooting\\.md#${code.toLowerCase()}\\.$`))
    return code
  })
}

const OPTIONS: OtpOptions = {
  secret: 'x'.repeat(32),
  site: { name: 'Acme' },
  mail: { transport: 'smtp://127.0.0.1:1', from: 'no-reply@acme.example' },
  user: (req) => (req as Request).session.user ?? null,
}

/** The warnings at the start of a plugin, made twice. */
async function warningsOf(more: Partial<OtpOptions>): Promise<string[]> {
  const { emailOtp } = fresh()
  for (let i = 0; i < 2; i++) await emailOtp({ ...OPTIONS, ...more }).close()
  return codes()
}

describe('OTP_MEMORY_STORE', () => {
  const { isWorker } = cluster
  afterEach(() => {
    delete process.env.NODE_APP_INSTANCE
    delete process.env.pm_id
    Object.assign(cluster, { isWorker })
  })

  const PROCESSES: [string, () => void][] = [
    ['a worker of node:cluster', () => Object.assign(cluster, { isWorker: true })],
    ['a process of PM2', () => (process.env.pm_id = '0')],
    ['an instance of PM2', () => (process.env.NODE_APP_INSTANCE = '1')],
  ]

  test.each(PROCESSES)(
    'is given in %s, once, for the default store and for one that is passed',
    async (_where, enter) => {
      enter()
      expect(await warningsOf({})).toEqual(['OTP_MEMORY_STORE'])
      jest.resetModules()
      warn.mockClear()
      const store = new (fresh().MemoryStore)()
      expect(await warningsOf({ store })).toEqual(['OTP_MEMORY_STORE'])
      await store.close()
    },
  )

  test.each(PROCESSES)('is not given in %s for a shared store', async (_where, enter) => {
    enter()
    const { RedisStore } = fresh()
    expect(await warningsOf({ store: new RedisStore({ send: () => Promise.resolve(null) }) })).toEqual([])
  })

  test('is not given for a process that is alone', async () => {
    expect(await warningsOf({})).toEqual([])
  })
})

describe('OTP_FROM_DOMAIN', () => {
  test.each<[string, string, boolean]>([
    ['https://acme.example', 'no-reply@acme.example', false],
    ['https://acme.example', 'no-reply@mail.acme.example', false],
    ['https://shop.acme.example', 'no-reply@acme.example', false],
    ['https://shop.acme.example', 'no-reply@mail.acme.example', false],
    ['https://ACME.example', 'no-reply@acme.EXAMPLE', false],
    ['https://acme.example', 'no-reply@acme-mail.example', true],
    ['https://acme.example', 'no-reply@notacme.example', true],
    ['https://acme.example.org', 'acme@gmail.com', true],
    ['http://localhost:3000', 'no-reply@acme.example', false],
    ['http://127.0.0.1:3000', 'no-reply@acme.example', false],
    ['http://[::1]:3000', 'no-reply@acme.example', false],
    ['http://192.168.1.20', 'no-reply@acme.example', false],
    ['http://intranet', 'no-reply@acme.example', false],
  ])('with the site %s and mails from %s: %p', async (origin, from, isGiven) => {
    const mail = { ...OPTIONS.mail, from }
    expect(await warningsOf({ site: { name: 'Acme', origin }, mail })).toEqual(isGiven ? ['OTP_FROM_DOMAIN'] : [])
  })

  test('is not given without `site.origin`', async () => {
    expect(await warningsOf({ mail: { ...OPTIONS.mail, from: 'acme@gmail.com' } })).toEqual([])
  })
})

describe('OTP_SECURE_COOKIE', () => {
  const proxied = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '198.51.100.7' }

  test('is given once for a `Secure` session cookie on plain http, where nobody stays signed in', async () => {
    await start({ session: memorySession({ cookie: { secure: true } }) })
    for (let i = 0; i < 3; i++) await host?.jar().get('/2fa').set(NAVIGATE).expect(401)
    expect(codes()).toEqual(['OTP_SECURE_COOKIE'])
  })

  test('is given behind a proxy that Express does not trust', async () => {
    await start({ session: memorySession({ cookie: { secure: true } }) })
    await host?.jar().get('/2fa').set(NAVIGATE).set(proxied).expect(401)
    expect(codes()).toEqual(['OTP_SECURE_COOKIE'])
  })

  test.each<[string, HostOptions, Record<string, string>]>([
    ['behind a proxy that Express trusts', { before: (app) => void app.set('trust proxy', 1) }, proxied],
    ['with `secure: "auto"`', { session: memorySession({ cookie: { secure: 'auto' } }) }, {}],
    ['without `secure`', { session: memorySession() }, {}],
  ])('is not given %s', async (_where, options, headers) => {
    await start({ session: memorySession({ cookie: { secure: true } }), ...options })
    await host?.jar().get('/2fa').set(NAVIGATE).set(headers).expect(401)
    expect(codes()).toEqual([])
  })

  test('is not given if only the session middleware trusts the proxy, and the cookie comes back', async () => {
    await start({ session: memorySession({ proxy: true, cookie: { secure: true } }) })
    const login = await host?.jar().post('/login').set(proxied).send({}).expect(200)
    const cookie = (login?.get('Set-Cookie') ?? []).join().replace(/;.*/, '')
    await host?.jar().get('/2fa').set(NAVIGATE).set(proxied).set('Cookie', cookie).expect(200)
    expect(codes()).toEqual([])
  })
})

describe('OTP_CSRF', () => {
  const csrf: RequestHandler = (req, _res, next) => {
    Object.assign(req, { csrfToken: () => 'a token' })
    next()
  }
  const behindCsrf: HostOptions = { before: (app) => void app.use(csrf) }

  test('is given once when our page is asked for behind CSRF middleware', async () => {
    const jar = await (await start(behindCsrf)).signedIn()
    for (let i = 0; i < 3; i++) await jar.get('/2fa').set(NAVIGATE).expect(200)
    expect(codes()).toEqual(['OTP_CSRF'])
  })

  test('is not given with `formFields`, with templates of its own, nor for a POST that got through', async () => {
    const views = path.join(__dirname, '../../views')
    for (const otp of [{ views }, { formFields: () => ({ _csrf: 'a token' }) }]) {
      const jar = await (await start({ ...behindCsrf, otp })).signedIn()
      await jar.get('/2fa').set(NAVIGATE).expect(200)
      await host?.close()
    }
    await (await start(behindCsrf)).asked()
    expect(codes()).toEqual([])
  })
})

describe('OTP_UNUSED_MAIL', () => {
  const { NODE_ENV } = process.env
  afterEach(() => {
    process.env.NODE_ENV = NODE_ENV
  })
  const mails = (...names: string[]): string =>
    viewsFolder(Object.fromEntries(names.map((name) => [`mail/${name}/subject.hbs`, 'Your code'])))
  const visit = async (views: string, options: HostOptions = {}): Promise<void> => {
    const app = await start({ ...options, otp: { views, ...options.otp } })
    await app.jar().get('/2fa').set(NAVIGATE)
    await app.jar().get('/2fa').set(NAVIGATE)
  }
  const guards: HostOptions = {
    after: (app, otp) => {
      app.post('/payout', otp.requireOtp({ purpose: 'payout' }), (_req, res) => void res.end())
    },
  }

  test('is given once for each folder that no guard has named, with the nearest purpose', async () => {
    await visit(mails('paoyut', 'newsletter', 'payout', 'code', 'alert', 'access'), guards)
    expect(codes()).toEqual(['OTP_UNUSED_MAIL', 'OTP_UNUSED_MAIL'])
    const texts = warn.mock.calls.map(([text]) => String(text)).sort()
    expect(texts[0]).toContain(
      'mail/newsletter/ in `views` is for a purpose that no guard, check() or start() has named',
    )
    expect(texts[1]).toContain('mail/paoyut/ in `views` is for a purpose')
    expect(texts[1]).toContain('Did you mean "payout"?')
  })

  test('is given once in a process, however many plugins have the folder', async () => {
    const folder = mails('newsletter')
    await visit(folder)
    await host?.close()
    await visit(folder)
    expect(codes()).toEqual(['OTP_UNUSED_MAIL'])
  })

  test('is not given for a purpose that check() or start() has named before, nor in production', async () => {
    await start({
      otp: { views: mails('by-check', 'by-start') },
      after: (app, otp) => {
        app.post('/both', (req, res, next) => {
          otp
            .check(req, { purpose: 'by-check' })
            .then(() => otp.start(req, { purpose: 'by-start' }))
            .then(() => void res.end(), next)
        })
      },
    })
    const jar = await host?.signedIn()
    await jar?.post('/both').expect(200)
    await jar?.get('/2fa').set(NAVIGATE)
    await host?.close()
    expect(codes()).toEqual([])
    process.env.NODE_ENV = 'production'
    await visit(mails('newsletter'))
    expect(codes()).not.toContain('OTP_UNUSED_MAIL')
  })
})

describe('OTP_MOUNT_PATH', () => {
  /** A shop in a sub-app, whose plugin has this `path`. */
  async function shop(otpPath: string, mount: 'sub-app' | 'app'): Promise<HostApp> {
    const { emailOtp } = fresh()
    return start({
      after: (app) => {
        const plugin = emailOtp({ ...OPTIONS, path: otpPath, now: () => host?.clock.now() ?? 0 })
        const sub = express()
        if (mount === 'sub-app') sub.use('/2fa', plugin.router)
        sub.get('/account', plugin.requireOtp(), (_req, res) => void res.send('the secret'))
        app.use('/shop', sub)
        if (mount === 'app') app.use(otpPath, plugin.router)
        plugins.push(plugin)
      },
    })
  }

  test('is given once when redirects to a forgotten `path` have reached nothing of ours for ten seconds', async () => {
    const { clock } = await shop('/verify', 'sub-app')
    const jar = await host?.signedIn()
    const visit = async (): Promise<void> => {
      const led = await jar?.get('/shop/account').set(NAVIGATE).expect(303)
      await jar
        ?.get(led?.get('Location') ?? '')
        .set(NAVIGATE)
        .expect(404)
    }
    await visit()
    clock.tick(9)
    await visit()
    expect(codes()).toEqual([])
    clock.tick(1)
    await visit()
    await visit()
    expect(codes()).toEqual(['OTP_MOUNT_PATH'])
    expect(String(warn.mock.calls[0]?.[0])).toContain('guards redirect to /verify')
  })

  test.each([
    ['in the sub-app, and `path` says so', '/shop/2fa', 'sub-app'],
    ['in the app above', '/verify', 'app'],
  ] as const)('is not given when the router is %s', async (_where, otpPath, mount) => {
    const { clock } = await shop(otpPath, mount)
    const jar = await host?.signedIn()
    for (let i = 0; i < 3; i++) {
      const led = await jar?.get('/shop/account').set(NAVIGATE).expect(303)
      await jar
        ?.get(led?.get('Location') ?? '')
        .set(NAVIGATE)
        .expect(200)
      clock.tick(60)
    }
    expect(codes()).toEqual([])
  })
})

test('an open guard looks for no misuse', async () => {
  const reads: string[] = []
  const spied: RequestHandler = (req, _res, next) => {
    for (const name of ['csrfToken', 'secure']) {
      Object.defineProperty(req, name, { get: () => void reads.push(`${req.path} ${name}`), configurable: true })
    }
    next()
  }
  const { jar, code } = await (await start({ before: (app) => void app.use('/secret', spied) })).asked()
  await guess(jar, code).expect(200)
  await jar.get('/secret').expect(200)
  expect(reads).toEqual([])
})
