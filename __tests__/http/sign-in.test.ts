import type { Request } from 'express'
import { type Agent, HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import type { OtpOptions } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

const toLogin = (_req: unknown, returnTo: string): string => `/login?next=${encodeURIComponent(returnTo)}`

/** A visitor of a host whose `signIn` is this. */
async function visitor(signIn: OtpOptions['signIn'], more: Partial<OtpOptions> = {}): Promise<Agent> {
  host = await HostApp.start({
    otp: { home: '/home', ...(signIn && { signIn }), ...more },
    after: (app, otp) => {
      app.post('/order', otp.requireOtp({ returnTo: '/cart' }), (_req, res) => void res.send('open'))
      app.post('/pay', otp.requireOtp({ returnTo: () => '/cart' }), (_req, res) => void res.send('open'))
      app.get('/me/orders', otp.requireOtp({ returnTo: ofUser }), (_req, res) => void res.send('open'))
    },
  })
  return host.jar()
}

const ofUser = (req: Request): string => `/users/${String(req.session.user?.id.toString())}`
const locationOf = async (jar: Agent, page: string, method: 'get' | 'post' = 'get', headers = {}): Promise<unknown> =>
  (await jar[method](page).set(NAVIGATE).set(headers).expect(303)).get('Location')
/** What a sign-in page gets as `next`. */
const nextOf = (location: unknown): string | null => new URL(String(location), host.origin).searchParams.get('next')

describe('`signIn`', () => {
  test('as a path is where a browser goes that is not signed in', async () => {
    const jar = await visitor('/login')
    expect(await locationOf(jar, '/secret?tab=2')).toBe('/login')
    expect(await locationOf(jar, '/2fa')).toBe('/login')
  })

  test('as a function gets the guarded page to come back to', async () => {
    const jar = await visitor(toLogin)
    expect(await locationOf(jar, '/secret?tab=2&x=%22')).toBe('/login?next=%2Fsecret%3Ftab%3D2%26x%3D%2522')
  })

  test('may be async, and may read the request', async () => {
    const jar = await visitor(async (req: Request, returnTo) => {
      await Promise.resolve()
      return `/login/${req.query.lang as string}?next=${encodeURIComponent(returnTo)}`
    })
    expect(await locationOf(jar, '/secret?lang=de')).toBe('/login/de?next=%2Fsecret%3Flang%3Dde')
  })

  test('after a POST gets the `returnTo` of the guard, the page that the POST came from, or `home`', async () => {
    const jar = await visitor(toLogin)
    const referer = { Referer: `${host.origin}/shop?item=1` }
    expect(nextOf(await locationOf(jar, '/order', 'post', referer))).toBe('/cart')
    expect(nextOf(await locationOf(jar, '/transfer', 'post', referer))).toBe('/shop?item=1')
    expect(nextOf(await locationOf(jar, '/transfer', 'post', { Referer: 'https://evil.example/x' }))).toBe('/home')
    expect(nextOf(await locationOf(jar, '/pay', 'post'))).toBe('/home')
  })

  test('gets a guarded page whose `returnTo(req)` needs a user', async () => {
    const jar = await visitor(toLogin)
    expect(nextOf(await locationOf(jar, '/me/orders'))).toBe('/me/orders')
  })

  test('at our own page gets that page with its `for`, so that the visitor comes back to it', async () => {
    const jar = await visitor(toLogin)
    const ana = await host.signedIn()
    const page = String(await locationOf(ana, '/secret'))
    const next = nextOf(await locationOf(jar, page))
    expect(next).toBe(page)
    await jar.post('/login').send({}).expect(200)
    expect(
      (
        await jar
          .get(next ?? '')
          .set(NAVIGATE)
          .expect(200)
      ).text,
    ).toContain('name="for"')
  })

  test('is written without `basePath`; the page to come back to is as browsers see it', async () => {
    const jar = await visitor(toLogin, { basePath: '/shop' })
    expect(await locationOf(jar, '/secret')).toBe('/shop/login?next=%2Fshop%2Fsecret')
    expect(await locationOf(jar, '/2fa?for=x')).toBe('/shop/login?next=%2Fshop%2F2fa%3Ffor%3Dx')
    expect(nextOf(await locationOf(jar, '/order', 'post'))).toBe('/shop/cart')
    expect(nextOf(await locationOf(jar, '/pay', 'post'))).toBe('/shop/home')
  })

  test('is not called for JSON clients, which get 401', async () => {
    let calls = 0
    const jar = await visitor(() => {
      calls += 1
      return '/login'
    })
    expect((await jar.get('/secret').set(JSON_CLIENT).expect(401)).body).toMatchObject({ code: 'sign_in_required' })
    expect((await jar.get('/2fa').set(JSON_CLIENT).expect(401)).body).toMatchObject({ code: 'sign_in_required' })
    await jar.post('/2fa/send').type('form').set(NAVIGATE).send({}).expect(401)
    expect(calls).toBe(0)
  })

  test('is given `home` instead of a page that would not fit into a redirect', async () => {
    const jar = await visitor(toLogin)
    expect(nextOf(await locationOf(jar, `/secret?x=${'%22'.repeat(1_000)}`))).toBe('/home')
    expect(nextOf(await locationOf(jar, `/secret?x=${'y'.repeat(3_490)}`))).toBe('/home')
  })

  test.each<[string, unknown]>([
    ['another site', 'https://evil.example/login'],
    ['a network path', '//evil.example'],
    ['a script', 'javascript:alert(1)'],
    ['a space', '/login?next=/a b'],
    ['a line break', '/login\r\nSet-Cookie: x=1'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { toString: () => '/login' }],
    ['a page that never fits', `/${'x'.repeat(4_000)}`],
  ])('W2: that gives %s is a 500 with its cure, at the guard and at our page', async (_what, given) => {
    const jar = await visitor(() => given as string)
    for (const page of ['/secret', '/2fa']) {
      const answer = await jar.get(page).set(NAVIGATE).expect(500)
      expect(answer.get('Location')).toBeUndefined()
      expect(answer.text).not.toContain('evil')
    }
    expect(host.events).toHaveLength(2)
    for (const event of host.events) {
      expect(event).toMatchObject({ type: 'failed', outcome: 'host_callback' })
      expect(event).toMatchObject({ error: { message: expect.stringContaining('encodeURIComponent()') as string } })
    }
  })

  test('that throws is a 500, and the guarded handler is not called', async () => {
    const jar = await visitor(() => {
      throw new Error('down')
    })
    expect((await jar.get('/secret').set(NAVIGATE).expect(500)).text).not.toContain('the secret')
  })
})
