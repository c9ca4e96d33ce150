import type { Request } from 'express'
import { guess } from '../helpers/guessing.js'
import { type Agent, HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import { emailOtp, type GuardOptions, type OtpOptions } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** A host with a guarded page and action at `/guarded`. */
async function guardedBy(guard: GuardOptions, otp: Partial<OtpOptions> = {}): Promise<Agent> {
  host = await HostApp.start({
    otp: { home: '/home', ...otp },
    after: (app, plugin) => void app.all('/guarded', plugin.requireOtp(guard), (_req, res) => void res.send('open')),
  })
  return host.signedIn()
}

/** Types the code of the page that the guard has redirected to; gives the return page. */
async function returnPageOf(jar: Agent, led: { get(name: string): string | undefined }): Promise<unknown> {
  const stepUp = { for: new URL(led.get('Location') ?? '', host.origin).searchParams.get('for') }
  await jar.post('/2fa/send').send(stepUp).expect(200)
  return ((await guess(jar, host.mailbox.code, stepUp).expect(200)).body as { return_to: unknown }).return_to
}

const get = (jar: Agent, page = '/guarded?tab=2') => jar.get(page).set(NAVIGATE).expect(303)
const post = (jar: Agent) =>
  jar.post('/guarded').set(NAVIGATE).set('Referer', `${host.origin}/form`).type('form').send({ page: '/asked' })

describe('the return page of a guard', () => {
  test('is the path of its option `returnTo`, whatever page was asked for', async () => {
    const jar = await guardedBy({ returnTo: '/account?verified=1#top' })
    expect(await returnPageOf(jar, await get(jar))).toBe('/account?verified=1#top')
    const other = await host.signedIn()
    expect(await returnPageOf(other, await post(other).expect(303))).toBe('/account?verified=1#top')
  })

  test('is what its function gives, which may read the request and be async', async () => {
    const returnTo = async (req: Request): Promise<string> => {
      await Promise.resolve()
      return `/orders/${(req.body as { page: string }).page.slice(1)}/"ü"`
    }
    const jar = await guardedBy({ returnTo })
    expect(await returnPageOf(jar, await post(jar).expect(303))).toBe('/orders/asked/%22%C3%BC%22')
  })

  test('without the option is the URL of a GET, and the same-origin Referer of a POST', async () => {
    const jar = await guardedBy({})
    expect(await returnPageOf(jar, await get(jar))).toBe('/guarded?tab=2')
    const other = await host.signedIn()
    expect(await returnPageOf(other, await post(other).expect(303))).toBe('/form')
  })

  test.each<[string, unknown]>([
    ['another site', 'https://evil.example/'],
    ['a network path', '//evil.example'],
    ['a backslash path', '/\\evil.example'],
    ['a script', 'javascript:alert(1)'],
    ['a page of ours', '/2fa/send'],
    ['our page', '/2fa?for=x'],
    ['our page by a detour', '/x/../2fa/continue'],
    ['an empty text', ''],
    ['a line break', '/a\r\nSet-Cookie: x=1'],
    ['nothing', undefined],
    ['null', null],
    ['an object', { toString: () => '/account' }],
    ['a list', ['/account']],
  ])('W2: is `home` when its function gives %s', async (_what, given) => {
    const jar = await guardedBy({ returnTo: () => given as string })
    expect(await returnPageOf(jar, await get(jar))).toBe('/home')
  })

  test('W2: of two requests at once each keeps its own', async () => {
    const jar = await guardedBy({ returnTo: (req: Request) => `/done/${req.query.n as string}` })
    const led = await Promise.all([1, 2, 3].map((n) => get(jar, `/guarded?n=${n}`)))
    const stepUps = led.map((one) => new URL(one.get('Location') ?? '', host.origin).searchParams.get('for'))
    expect(new Set(stepUps).size).toBe(3)
    await jar.post('/2fa/send').send({ for: stepUps[1] }).expect(200)
    const done = await guess(jar, host.mailbox.code, { for: stepUps[1] }).expect(200)
    expect(done.body).toMatchObject({ return_to: '/done/2' })
  })

  test('is written without `basePath`, by the host and by its function', async () => {
    const jar = await guardedBy({ returnTo: '/account' }, { basePath: '/shop' })
    expect(await returnPageOf(jar, await get(jar))).toBe('/shop/account')
    await host.close()
    const other = await guardedBy({ returnTo: () => '/account' }, { basePath: '/shop' })
    expect(await returnPageOf(other, await get(other))).toBe('/shop/account')
    const third = await host.signedIn({ id: 'u3', email: 'cleo@example.com' })
    const led = await third.get('/secret').set(NAVIGATE).expect(303)
    expect(await returnPageOf(third, led)).toBe('/shop/secret')
  })

  test('a function that throws is a 500, and the handler is not called', async () => {
    const jar = await guardedBy({
      returnTo: () => {
        throw new Error('no page')
      },
    })
    const answer = await jar.get('/guarded').set(JSON_CLIENT).expect(500)
    expect(answer.body).toMatchObject({ code: 'internal_error' })
    expect(host.events).toMatchObject([
      { type: 'failed', outcome: 'host_callback', error: { message: '`returnTo` threw.' } },
    ])
  })
})

test.each<[unknown, string]>([
  ['https://acme.example/x', 'Give a path on this site'],
  ['//evil.example', 'Give a path on this site'],
  ['account', 'Give a path on this site'],
  ['', 'Give a path on this site'],
  [null, 'Give a path on this site'],
  [1, 'Give a path on this site'],
  ['/2fa', 'everything below /2fa belongs to the router'],
  ['/2FA/send?x', 'everything below /2fa belongs to the router'],
])('W2: requireOtp({ returnTo: %p }) throws where it is called', async (returnTo, cure) => {
  const otp = emailOtp({
    secret: 'x'.repeat(32),
    site: { name: 'Acme' },
    mail: { transport: 'smtp://127.0.0.1:1', from: 'no-reply@acme.example' },
    user: () => null,
  })
  expect(() => otp.requireOtp({ returnTo: returnTo as string })).toThrow(/^requireOtp: option `returnTo` is .*/)
  expect(() => otp.requireOtp({ returnTo: returnTo as string })).toThrow(cure)
  await otp.close()
  host = await HostApp.start()
})
