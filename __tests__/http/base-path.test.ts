import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import request from 'supertest'
import { ANA, HostApp, JSON_CLIENT, NAVIGATE, sealedIn } from '../helpers/host-app.js'

/** A proxy that serves an app below `/shop` and strips that, as `proxy_pass http://app/;` of nginx does. */
async function stripShop(target: string): Promise<Server> {
  const proxy = createServer((req, res) => {
    if (!req.url?.startsWith('/shop/')) return void res.writeHead(404).end()
    const options = { method: req.method, headers: req.headers }
    const upstream = httpRequest(target + req.url.slice('/shop'.length), options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    req.pipe(upstream)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}

describe('`basePath`, behind a proxy that strips /shop', () => {
  let host: HostApp
  let proxy: Server
  let jar: ReturnType<typeof request.agent>

  async function start(otp: Parameters<typeof HostApp.start>[0] = {}): Promise<void> {
    host = await HostApp.start({ ...otp, otp: { basePath: '/shop', ...otp.otp } })
    proxy = await stripShop(host.origin)
    jar = request.agent(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  }
  afterEach(async () => {
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
    await host.close()
  })
  const signIn = () => jar.post('/shop/login').send({ user: ANA }).expect(200)

  test('a browser without script comes from the guarded page to the code and back, by URLs of the proxy only', async () => {
    await start({ otp: { site: { name: 'Acme', supportUrl: '/help' } } })
    await signIn()
    const { headers } = await jar.get('/shop/secret?x=1').set(NAVIGATE).expect(303)
    expect(headers.location).toMatch(/^\/shop\/2fa\?for=[\w-]+$/)
    const page = await jar
      .get(headers.location ?? '')
      .set(NAVIGATE)
      .expect(200)
    const urls = [...page.text.matchAll(/(?:action|href|src)="([^"]*)"/g)].map(([, url]) => url ?? '')
    expect(urls.filter((url) => !url.startsWith('/shop/'))).toEqual([])
    expect(urls).toContain('/shop/help')
    for (const url of urls.filter((one) => one.includes('/assets/'))) await jar.get(url).expect(200)
    const sent = await jar
      .post('/shop/2fa/send')
      .type('form')
      .set(NAVIGATE)
      .send({ for: sealedIn(page.text) })
      .expect(303)
    expect(sent.headers.location).toMatch(/^\/shop\/2fa\?for=/)
    const body = { for: sealedIn(page.text), code: host.mailbox.code }
    const right = await jar.post('/shop/2fa/verify').type('form').set(NAVIGATE).send(body).expect(303)
    expect(right.headers.location).toMatch(/^\/shop\/2fa\/continue\?for=/)
    const on = await jar
      .get(right.headers.location ?? '')
      .set(NAVIGATE)
      .expect(200)
    expect(on.headers.refresh).toBe('0; url=/shop/secret?x=1')
    await jar.get('/shop/secret?x=1').expect(200, 'the secret')
  })

  test('a JSON client gets the same URLs', async () => {
    await start()
    await signIn()
    const { body } = await jar.get('/shop/secret').set(JSON_CLIENT).expect(401)
    expect(body).toMatchObject({ send_url: '/shop/2fa/send', verify_url: '/shop/2fa/verify' })
    expect(body.page_url).toMatch(/^\/shop\/2fa\?for=/)
    await jar.post(String(body.send_url)).send({ for: body.for }).expect(200)
    const typed = { for: body.for, code: host.mailbox.code }
    const right = await jar.post(String(body.verify_url)).send(typed).expect(200)
    expect(right.body.return_to).toBe('/shop/secret')
  })

  test('paths that the host writes get it in front: `home`, `signIn`, `returnTo`', async () => {
    await start({
      otp: { home: '/start', signIn: '/login-page' },
      after: (app, otp) =>
        app.post('/pay', async (req, res) => {
          res.json(await otp.start(req, { returnTo: '/pay/confirm' }))
        }),
    })
    const away = await jar.get('/shop/secret').set(NAVIGATE).expect(303)
    expect(away.headers.location).toBe('/shop/login-page')
    await signIn()
    const started = await jar.post('/shop/pay').send({}).expect(200)
    const url = new URL(String(started.body.url), 'http://acme.example')
    const sealed = url.searchParams.get('for') ?? ''
    const right = await jar.post('/shop/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
    expect(right.body.return_to).toBe('/shop/pay/confirm')
    const state = await jar.get('/shop/2fa').set(JSON_CLIENT).expect(200)
    expect(state.body).toMatchObject({ state: 'verified', return_to: '/shop/start' })
  })

  test.each([
    ['/shop/transfer/new', '/shop/transfer/new'],
    ['/shop', '/shop'],
    ['/shopping/list', '/shop/'],
    ['/other/app', '/shop/'],
    ['/shop/../other/app', '/shop/'],
    ['/shop/2fa?for=x', '/shop/'],
  ])('W2: a POST from %s returns to %s', async (page, returnTo) => {
    await start()
    await signIn()
    const from = { Host: 'acme.example', Referer: `https://acme.example${page}` }
    const guarded = await jar.post('/shop/transfer').set(from).set(JSON_CLIENT).send({ amount: '1', payee: 'b' })
    expect(guarded.status).toBe(401)
    await jar.post('/shop/2fa/send').send({ for: guarded.body.for }).expect(200)
    const typed = { for: guarded.body.for, code: host.mailbox.code }
    const right = await jar.post('/shop/2fa/verify').send(typed).expect(200)
    expect(right.body.return_to).toBe(returnTo)
  })

  test.each(['/../other/app', '/%2e%2e/other/app', '/..//evil.example', '/a/../../other/app'])(
    'W2: a guard that returns to %s, outside of the app, returns to home',
    async (page) => {
      await start({
        after: (app, otp) => {
          app.get('/given', otp.requireOtp({ returnTo: () => page }), (_req, res) => void res.send('open'))
        },
      })
      await signIn()
      const { body } = await jar.get('/shop/given').set(JSON_CLIENT).expect(401)
      await jar.post('/shop/2fa/send').send({ for: body.for }).expect(200)
      const right = await jar.post('/shop/2fa/verify').send({ for: body.for, code: host.mailbox.code }).expect(200)
      expect(right.body.return_to).toBe('/shop/')
    },
  )
})
