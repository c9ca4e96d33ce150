import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import express4 from 'express4'
import { type Agent, BROWSER, HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import { emailOtp, type EmailOtp, OtpError, type OtpOptions } from '../../src/index.js'

let host: HostApp
let errors: unknown[] = []
let calls: string[] = []
afterEach(async () => {
  await plugin?.close()
  await host.close()
})

/** A plugin of its own at `/area/2fa`, beside that of the host. */
let plugin: EmailOtp | null = null

type Mount = (area: express.Router, otp: EmailOtp, secret: RequestHandler) => void

async function mounted(
  mount: Mount,
  more: Partial<OtpOptions> = {},
  framework: typeof express = express,
): Promise<Agent> {
  errors = []
  calls = []
  const secret: RequestHandler = (req, res) => {
    calls.push(`${req.method} ${req.originalUrl}`)
    res.send('the secret')
  }
  const remember: ErrorRequestHandler = (error: unknown, _req, res, next) => {
    errors.push(error)
    if (res.headersSent) next(error)
    else res.status(500).send('error page of the host')
  }
  host = await HostApp.start({
    framework,
    after: (app) => {
      const otp = emailOtp({
        secret: 'x'.repeat(32),
        site: { name: 'Acme' },
        mail: { transport: 'smtp://127.0.0.1:1', from: 'no-reply@acme.example' },
        user: (req) => (req as express.Request).session.user ?? null,
        path: '/area/2fa',
        ...more,
      })
      plugin = otp
      const area = framework.Router()
      mount(area, otp, secret)
      app.use('/area', area)
      app.use(remember)
    },
  })
  return host.signedIn()
}

/** The guard in front of everything, the router and the sign-in included. */
const guardFirst: Mount = (area, otp, secret) => {
  area.use(otp.requireOtp())
  area.use('/2fa', otp.router)
  area.use('/login', secret)
  area.use(secret)
}

/** The same in the right order. */
const guardLast: Mount = (area, otp, secret) => {
  area.use('/2fa', otp.router)
  area.get('/login', (_req, res) => void res.send('sign in here'))
  area.use(otp.requireOtp())
  area.use(secret)
}

const expectPositionError = (...mentioned: string[]): void => {
  expect(errors).toHaveLength(1)
  const [error] = errors as [OtpError]
  expect(error).toBeInstanceOf(OtpError)
  expect(error.code).toBe('guard_position')
  for (const text of [...mentioned, 'docs/troubleshooting.md#guard_position']) expect(error.message).toContain(text)
  expect(calls).toEqual([])
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('a guard in front of our own pages, on %s,', (_name, framework) => {
  const MOUNTS: [string, Mount][] = [
    ['by use() above the router', guardFirst],
    ['at the path of the router', (area, otp, secret) => area.use('/2fa', otp.requireOtp(), otp.router, secret)],
    [
      'in a router of its own',
      (area, otp, secret) => area.use(framework.Router().use(otp.requireOtp()), otp.router, secret),
    ],
    ['in a sub-app', (area, otp, secret) => area.use(framework().use(otp.requireOtp()), otp.router, secret)],
  ]

  test.each(MOUNTS)('%s is told at the first request, and nothing behind it is called', async (_where, mount) => {
    const jar = await mounted(mount, {}, framework)
    await jar.get('/area/2fa').set(NAVIGATE).expect(500, 'error page of the host')
    expectPositionError('in front of /area/2fa', "app.use('/area/2fa', otp.router), then")
  })
})

describe('a guard in front of our own pages', () => {
  test.each<['get' | 'head' | 'post', string]>([
    ['get', '/area/2fa'],
    ['get', '/area/2fa/'],
    ['get', '/area/2fa?for=x'],
    ['head', '/area/2fa'],
    ['get', '/area/2fa/continue'],
    ['get', '/area/2fa/send'],
    ['post', '/area/2fa/send'],
    ['post', '/area/2fa/verify?for=x'],
    ['post', '/area/2fa/restart'],
  ])('is told by a %s of %s, to browsers and JSON clients', async (method, page) => {
    const jar = await mounted(guardFirst)
    for (const headers of [NAVIGATE, BROWSER, JSON_CLIENT]) {
      errors = []
      await jar[method](page).set(headers).expect(500)
      expectPositionError('a guard stands in front of /area/2fa')
    }
    expect(host.events).toEqual([])
  })

  test('is told to a visitor who is not signed in, too', async () => {
    await mounted(guardFirst, { signIn: '/area/login' })
    await host.jar().get('/area/2fa').set(NAVIGATE).expect(500)
    expectPositionError('in front of /area/2fa')
  })

  test('is told behind a proxy that strips `basePath`, too', async () => {
    const jar = await mounted(guardFirst, { basePath: '/shop', signIn: '/area/login' })
    await jar.get('/area/2fa').set(NAVIGATE).expect(500)
    expectPositionError('in front of /area/2fa')
    errors = []
    await host.jar().get('/area/login').set(NAVIGATE).expect(500)
    expectPositionError('in front of /shop/area/login')
  })

  test('still guards what is behind it, and leads there as usual', async () => {
    const jar = await mounted(guardFirst)
    expect((await jar.get('/area/account').set(NAVIGATE).expect(303)).get('Location')).toMatch(/^\/area\/2fa\?for=/)
    await jar.get('/area/account').set(JSON_CLIENT).expect(401)
    expect([errors, calls]).toEqual([[], []])
  })
})

describe('a guard behind our pages', () => {
  test.each<['get' | 'head' | 'post' | 'put' | 'options', string]>([
    ['get', '/area/2fa/help'],
    ['get', '/area/2fa/assets/nothing.css'],
    ['get', '/area/2fax'],
    ['post', '/area/2fa'],
    ['put', '/area/2fa/send'],
    ['get', '/area/account?x=/area/2fa'],
  ])('may be asked by what the router passes on, such as a %s of %s', async (method, page) => {
    const jar = await mounted(guardLast)
    const answer = await jar[method](page).set(NAVIGATE)
    expect([answer.status, errors, calls]).toEqual([303, [], []])
  })

  test('opens for the router and for itself', async () => {
    const jar = await mounted(guardLast)
    await jar.get('/area/2fa').set(NAVIGATE).expect(200)
    expect(errors).toEqual([])
  })
})

describe('a guard in front of the sign-in page', () => {
  const toLogin = (_req: unknown, returnTo: string): string => `/area/login?next=${encodeURIComponent(returnTo)}`

  test.each<[string, NonNullable<OtpOptions['signIn']>, string]>([
    ['a path', '/area/login', '/area/login'],
    ['a path that is asked for with a query', '/area/login', '/area/login?x=1'],
    ['a path with a query', '/area/login?step=1', '/area/login?step=1'],
    ['a path with a fragment', '/area/#login', '/area/'],
    ['a function', toLogin, '/area/login?next=%2F'],
  ])('that is %s is told at the first request, and nothing behind it is called', async (_what, signIn, page) => {
    await mounted(guardFirst, { signIn })
    await host.jar().get(page).set(NAVIGATE).expect(500, 'error page of the host')
    expectPositionError('in front of /area/', 'before app.use(otp.requireOtp())')
  })

  test('ends the redirect of a function at its second step', async () => {
    await mounted(guardFirst, { signIn: toLogin })
    const jar = host.jar()
    const led = await jar.get('/area/login').set(NAVIGATE).expect(303)
    await jar
      .get(led.get('Location') ?? '')
      .set(NAVIGATE)
      .expect(500)
    expectPositionError('in front of /area/login')
  })

  test('answers a JSON client with 401', async () => {
    await mounted(guardFirst, { signIn: '/area/login' })
    expect((await host.jar().get('/area/login').set(JSON_CLIENT).expect(401)).body.code).toBe('sign_in_required')
    expect(calls).toEqual([])
  })

  test('is no such thing when one path is several pages, or a POST of the sign-in path is guarded', async () => {
    await mounted(guardFirst, { signIn: '/area/?sign-in=1' })
    const led = await host.jar().get('/area/').set(NAVIGATE).expect(303)
    expect(led.get('Location')).toBe('/area/?sign-in=1')
    await plugin?.close()
    await host.close()
    await mounted(guardLast, { signIn: '/area/login' })
    const jar = host.jar()
    expect((await jar.post('/area/login').set(NAVIGATE).expect(303)).get('Location')).toBe('/area/login')
    await jar.get('/area/login').set(NAVIGATE).expect(200, 'sign in here')
    expect([errors, calls]).toEqual([[], []])
  })
})
