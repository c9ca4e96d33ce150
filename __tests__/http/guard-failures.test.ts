import express, { type Request, type RequestHandler } from 'express'
import express4 from 'express4'
import { type Agent, HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import type { GuardOptions, OtpError, OtpOptions, OtpStore } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const PAY: GuardOptions = {
  details: (req: Request) => ({ amount: (req.body as { amount: string }).amount }),
  returnTo: '/cart',
}

/** Where "try again" leads on a problem page. */
const retryOf = (html: string): string | undefined => /class="otp-button" href="([^"]*)"/.exec(html)?.[1]

async function failing(otp: Partial<OtpOptions>, guard: GuardOptions = {}): Promise<Agent> {
  host = await HostApp.start({
    otp: { home: '/home', ...otp },
    after: (app, plugin) => void app.all('/guarded', plugin.requireOtp(guard), (_req, res) => void res.send('open')),
  })
  return host.jar()
}

const down = (): never => {
  throw new Error('down')
}

describe('"try again" after a failure of the guard', () => {
  test('leads to the guarded page', async () => {
    const jar = await failing({ user: down })
    const page = await jar.get('/guarded?tab="2"').set(NAVIGATE).expect(500)
    expect(retryOf(page.text)).toBe('/guarded?tab&#x3D;%222%22')
  })

  test('after a POST leads to the `returnTo` of the guard, to the page that it came from, or to `home`', async () => {
    const jar = await failing({ user: down }, PAY)
    const post = async (page: string, referer: string): Promise<string | undefined> =>
      retryOf((await jar.post(page).set(NAVIGATE).set('Referer', referer).expect(500)).text)
    expect(await post('/guarded', `${host.origin}/form`)).toBe('/cart')
    expect(await post('/transfer', `${host.origin}/form`)).toBe('/form')
    expect(await post('/transfer', 'https://evil.example/form')).toBe('/home')
  })

  test('leads there when the store is down, and from our own pages to our page as before', async () => {
    const store: OtpStore = { open: down, redeem: down, spend: down }
    const broken: RequestHandler = (req, _res, next) => {
      Object.assign(req, { session: null })
      next()
    }
    host = await HostApp.start({ session: broken, otp: { store } })
    const page = await host.jar().get('/secret').set(NAVIGATE).expect(503)
    expect(retryOf(page.text)).toBe('/secret')
    expect(retryOf((await host.jar().get('/2fa').set(NAVIGATE).expect(503)).text)).toBe('/2fa')
  })

  test('leads there also if nobody is signed in and there is no sign-in', async () => {
    const jar = await failing({})
    const page = await jar.get('/guarded').set(NAVIGATE).expect(401)
    expect(retryOf(page.text)).toBe('/guarded')
  })

  test('changes nothing for JSON', async () => {
    const jar = await failing({ user: down })
    const { body } = await jar.get('/guarded').set(JSON_CLIENT).expect(500)
    expect(Object.keys(body as object).sort()).toEqual(['code', 'detail', 'status', 'title', 'type'])
  })
})

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('a guard before the body parser, on %s,', (_name, framework) => {
  async function parserless(guard: GuardOptions): Promise<{ status: number; error: OtpError }> {
    let isCalled = false
    host = await HostApp.start({
      framework,
      before: (app) => {
        app.post('/early', (req, res, next) => {
          Object.assign(req, { session: { user: { id: 'u1', email: 'ana@example.com' } } })
          host.otp.requireOtp(guard)(req, res, next)
        })
        app.post('/early', () => (isCalled = true))
      },
    })
    const { status, text } = await host.jar().post('/early').set(JSON_CLIENT).send({ amount: '5' })
    expect(isCalled).toBe(false)
    expect(text).not.toContain('body')
    const [event] = host.events
    return { status, error: (event as unknown as { error: OtpError }).error }
  }

  const amountOf = (req: Request): string => (req.body as { amount: string }).amount

  test.each<[string, GuardOptions]>([
    ['details', { details: amountOf }],
    ['describe', { describe: amountOf }],
    ['returnTo', { returnTo: amountOf }],
  ])('is told that `%s` needs the parser; the visitor gets 500', async (option, guard) => {
    const { status, error } = await parserless(guard)
    expect(status).toBe(500)
    expect(error.code).toBe('host_callback')
    expect(error.message).toContain(`\`${option}(req)\` threw, and there is no req.body`)
    expect(error.message).toContain('Mount the body parser (express.json(), express.urlencoded(), multer …) before')
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  test('is told nothing of parsers if the function fails for another reason', async () => {
    const { error } = await parserless({ details: down })
    expect(error.message).toBe('`details` threw.')
  })
})

test('a function that reads a missing member of a parsed body is told nothing of parsers', async () => {
  await failing({}, { details: (req: Request) => (req.body as { to: { name: string } }).to.name })
  await (await host.signedIn()).post('/guarded').send({ amount: '5' }).set(JSON_CLIENT).expect(500)
  expect(host.events).toMatchObject([{ type: 'failed', error: { message: '`details` threw.' } }])
})

test('a request without a body is a bad request, if the function reads it', async () => {
  await failing({}, { details: (req: Request) => (req.body as { amount: string }).amount })
  const { body } = await (await host.signedIn()).post('/guarded').set(JSON_CLIENT).expect(400)
  expect(body).toMatchObject({ code: 'bad_request' })
  expect(host.events).toMatchObject([{ type: 'failed', outcome: 'invalid_details' }])
})

describe('a session that cannot be stored, such as one with a BigInt', () => {
  test.each([
    ['a page', NAVIGATE],
    ['JSON', JSON_CLIENT],
  ])('X3: ends the connection of a client that wants %s, and keeps none waiting', async (_what, headers) => {
    const user = (req: Request) => {
      Object.assign(req.session, { odd: 1n })
      return req.session.user ?? null
    }
    const jar = await failing({ user })
    await jar.post('/login').send({}).expect(200)
    for (const url of ['/guarded', '/2fa', '/2fa/continue']) {
      await expect(jar.get(url).set(headers).timeout(2_000)).rejects.toThrow('socket hang up')
    }
    await expect(jar.post('/2fa/send').set(headers).timeout(2_000)).rejects.toThrow('socket hang up')
  })
})
