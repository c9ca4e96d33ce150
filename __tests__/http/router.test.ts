import express4 from 'express4'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import session from 'express-session'
import request from 'supertest'
import { ANA, HostApp, NAVIGATE, SECRET } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { emailOtp, OtpError } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** What a host may have put in front of the router. */
const parsers: [string, RequestHandler[]][] = [
  ['nothing', []],
  ['parsers with the usual limits', [express.urlencoded({ extended: true }), express.json()]],
  ['parsers that take anything', [express.urlencoded({ extended: true }), express.json({ strict: false })]],
]

const behind = (middleware: RequestHandler[], framework: typeof express = express): Promise<HostApp> =>
  HostApp.start({ framework, before: (app) => void (middleware.length > 0 && app.use(...middleware)) })

describe.each(parsers)('with %s in front', (_what, middleware) => {
  const large: [string, string, string][] = [
    ['form', 'application/x-www-form-urlencoded', `code=1&x=${'y'.repeat(16_384)}`],
    ['JSON', 'application/json', JSON.stringify({ code: '1', x: 'y'.repeat(16_384) })],
  ]

  test.each(large)('a %s of more than 16 kB is answered with 413', async (_kind, type, body) => {
    host = await behind(middleware)
    const { jar } = await host.asked()
    for (const route of ['send', 'verify', 'restart']) {
      const answer = await jar.post(`/2fa/${route}`).set('Content-Type', type).send(body).expect(413)
      expect(answer.text).toContain(type.includes('json') ? '"status":413' : 'We could not read that')
    }
    expect(host.mailbox.received).toHaveLength(1)
    expect(host.events.map(({ type: name }) => name)).toEqual(['issued', 'sent'])
  })

  test.each(large)('so is a %s that comes in chunks, without a length', async (_kind, type, body) => {
    host = await behind(middleware)
    const { jar } = await host.asked()
    const chunked = jar.post('/2fa/verify').set('Content-Type', type).set('Transfer-Encoding', 'chunked')
    chunked.write(body)
    expect((await chunked).status).toBe(413)
  })

  test('a body of 16 kB is taken', async () => {
    host = await behind(middleware)
    const { jar, code } = await host.asked()
    const start = `code=${code}&x=`
    const form = start.padEnd(16_384, 'y')
    await jar.post('/2fa/verify').set(NAVIGATE).type('form').send(form).expect(303)
  })

  test.each<[string, unknown]>([
    ['a number', 123456],
    ['an array', ['123456']],
    ['an array of nothing', []],
    ['an object', { $ne: '' }],
    ['null', null],
    ['true', true],
    ['65 characters', '1'.repeat(65)],
  ])('V10: a code that is %s is answered with 400 and counts nothing', async (_what, code) => {
    host = await behind(middleware)
    const asked = await host.asked()
    for (let i = 0; i < 6; i++) {
      const answer = await asked.jar.post('/2fa/verify').send({ code }).expect(400)
      expect(answer.body).toMatchObject({ code: 'bad_request', status: 400 })
    }
    expect(host.events.filter(({ type }) => type === 'rejected')).toEqual([])
    await asked.jar.post('/2fa/verify').send({ code: asked.code }).expect(200)
  })

  test.each([
    'code[]=CODE',
    'code[0]=CODE',
    'code[$ne]=',
    'code=CODE&code=CODE',
    'code.x=CODE',
    'code=CODE&code[]=1',
    '',
  ])('V10: the form %p is answered with 400 and counts nothing', async (form) => {
    host = await behind(middleware)
    const { jar, code } = await host.asked()
    const body = form.replaceAll('CODE', code)
    for (let i = 0; i < 6; i++) await jar.post('/2fa/verify').set(NAVIGATE).type('form').send(body).expect(400)
    expect(host.events.filter(({ type }) => type === 'rejected')).toEqual([])
    await jar.post('/2fa/verify').send({ code }).expect(200)
  })

  test.each(['for[]=x', 'for[a]=x', 'for=x&for=y', `for=${'x'.repeat(4_000)}&for[]=1`])(
    'V10: a step-up that comes as %p is answered with 400, and nothing is mailed',
    async (form) => {
      host = await behind(middleware)
      const jar = await host.signedIn()
      await jar.post('/2fa/send').set(NAVIGATE).type('form').send(form).expect(400)
      expect(host.events).toEqual([])
    },
  )

  test.each(['[]', '[{"code":"1"}]', 'null', '7', '"code"', 'true'])(
    'V10: JSON that is no object (%s) is answered with 400',
    async (body) => {
      host = await behind(middleware)
      const { jar, code } = await host.asked()
      await jar.post('/2fa/verify').set('Content-Type', 'application/json').send(body).expect(400)
      await jar.post('/2fa/verify').send({ code }).expect(200)
    },
  )

  test.each<[string, string, string]>([
    ['cut short', 'application/json', '{"code":"12'],
    ['not JSON at all', 'application/json', 'code=123456'],
    ['of an unknown type', 'text/plain', '{"code":"123456"}'],
    ['XML', 'application/xml', '<code>123456</code>'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['in an unknown character set', 'application/json; charset=klingon', '{"code":"123456"}'],
  ])('a body that is %s is answered with 400 and shows no stack', async (_what, type, body) => {
    host = await behind(middleware)
    const { jar, code } = await host.asked()
    const sent = jar.post('/2fa/verify').set('Accept', 'application/json').set('Content-Type', type).send(body)
    const answer = await sent
    // A host's own parser answers by the host's error handler, which is not ours to speak for.
    if (middleware.length === 0 || answer.type === 'application/problem+json') {
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({ code: 'bad_request' })
      expect(answer.text).not.toMatch(/ at |node_modules|SyntaxError/)
    } else expect(answer.status).toBeGreaterThanOrEqual(400)
    await jar.post('/2fa/verify').send({ code }).expect(200)
  })
})

test('a body that a host parsed as text, as bytes or into a class of its own is answered with 400', async () => {
  for (const body of ['code=1', Buffer.from('code=1'), [['code', '1']], Object.create({ code: '1' }) as object]) {
    host = await behind([
      (req, _res, next) => {
        if (req.path === '/2fa/verify') req.body = body
        next()
      },
    ])
    const { jar } = await host.asked()
    await jar.post('/2fa/verify').expect(400)
    if (typeof body !== 'object' || Array.isArray(body)) await host.close()
    else if (Buffer.isBuffer(body)) await host.close()
  }
})

test('fields of a name that only looks like ours count as absent', async () => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  await jar
    .post('/2fa/verify')
    .set('Content-Type', 'application/json')
    .send(`{"__proto__":{"code":"${code}"}}`)
    .expect(400)
  await jar.post('/2fa/verify').send({ Code: code, codes: code, ' code': code }).expect(400)
  await jar.post('/2fa/verify').send({ code }).expect(200)
})

describe('routes', () => {
  test.each(['send', 'verify', 'restart'])('GET /2fa/%s redirects to our page and changes nothing', async (route) => {
    host = await HostApp.start()
    const { jar, code } = await host.asked()
    const led = await jar
      .get(`/2fa/${route}?code=${wrongCode(code)}&email=evil@example.com`)
      .set(NAVIGATE)
      .expect(303)
    expect(led.get('Location')).toBe('/2fa')
    expect(host.mailbox.received).toHaveLength(1)
    await jar.post('/2fa/verify').send({ code }).expect(200)
  })

  test.each(['put', 'patch', 'delete'] as const)('%s reaches nothing of ours', async (method) => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    for (const route of ['', '/send', '/verify', '/restart']) await jar[method](`/2fa${route}`).send({}).expect(404)
    expect(host.events).toEqual([])
  })

  test('what is none of our routes goes on to the host', async () => {
    host = await HostApp.start({
      after: (app) => void app.get('/2fa/help', (_req, res) => void res.send('host')),
    })
    await host.jar().get('/2fa/help').expect(200, 'host')
    await host.jar().get('/2fa/nothing').expect(404)
  })

  test('no file outside the folders of assets can be had', async () => {
    host = await HostApp.start()
    const css = await host.jar().get('/2fa/assets/otp.css').expect(200)
    expect(css.type).toBe('text/css')
    await host
      .jar()
      .get('/2fa/assets/otp.js')
      .expect(200)
      .expect('Content-Type', /javascript/)
    for (const name of ['../layouts/page.hbs', '..%2flayouts%2fpage.hbs', '%2e%2e/locales/en.json', '.', '']) {
      const answer = await host.jar().get(`/2fa/assets/${name}`)
      expect([400, 403, 404]).toContain(answer.status)
    }
  })

  test('restart forgets the challenge, so another address can be typed; without one it changes nothing', async () => {
    host = await HostApp.start({ otp: { user: () => null, typedEmail: true } })
    const jar = host.jar()
    expect((await jar.post('/2fa/restart').send({}).expect(200)).body).toEqual({ state: 'email' })
    await jar.post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
    expect((await jar.get('/2fa').set('Accept', 'application/json').expect(200)).body.state).toBe('code')
    expect((await jar.post('/2fa/restart').send({}).expect(200)).body).toEqual({ state: 'email' })
    expect((await jar.get('/2fa').set('Accept', 'application/json').expect(200)).body.state).toBe('email')
    const led = await jar.post('/2fa/restart').set(NAVIGATE).type('form').send('').expect(303)
    expect(led.get('Location')).toBe('/2fa')
  })
})

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('the mount path on %s', (_name, framework) => {
  async function mounted(path: string, mount: (app: express.Express, router: RequestHandler) => void, url: string) {
    host = await HostApp.start()
    const otp = emailOtp({
      secret: SECRET,
      site: { name: 'Acme' },
      mail: { transport: host.mailbox.url, from: 'no-reply@acme.example' },
      user: () => ANA,
      path,
    })
    const app = framework()
    app.use(session({ secret: 'test', resave: false, saveUninitialized: false }))
    mount(app, otp.router)
    const errors: unknown[] = []
    const keep: ErrorRequestHandler = (error, _req, res, next) => {
      errors.push(error)
      if (res.headersSent) next(error)
      else res.status(500).send('host error')
    }
    app.use(keep)
    const answer = await request(app).get(url).set('Accept', 'text/html')
    await otp.close()
    return { answer, errors }
  }

  test.each<[string, string, (app: express.Express, router: RequestHandler) => void, string]>([
    ['where `path` says', '/2fa', (app, router) => app.use('/2fa', router), '/2fa'],
    ['with another case', '/2fa', (app, router) => app.use('/2FA', router), '/2FA'],
    ['with a slash at the end', '/2fa/', (app, router) => app.use('/2fa/', router), '/2fa/'],
    [
      'in a router of its own',
      '/area/2fa',
      (app, router) => app.use('/area', framework.Router().use('/2fa', router)),
      '/area/2fa',
    ],
  ])('fits %s', async (_where, path, mount, url) => {
    const { answer, errors } = await mounted(path, mount, url)
    expect(errors).toEqual([])
    expect(answer.status).toBe(200)
    expect(answer.text).toContain(`action="${path.replace(/\/$/, '')}/send"`)
  })

  test.each<[string, (app: express.Express, router: RequestHandler) => void, string, string]>([
    ['elsewhere', (app, router) => app.use('/verify', router), '/verify', '/verify'],
    ['at the root', (app, router) => app.use(router), '/2fa', ''],
    ['in a nested router', (app, router) => app.use('/a', framework.Router().use('/2fa', router)), '/a/2fa', '/a/2fa'],
  ])('mounted %s is an error at the first request that names both', async (_where, mount, url, at) => {
    const { answer, errors } = await mounted('/2fa', mount, url)
    expect(answer.status).toBe(500)
    expect(errors).toHaveLength(1)
    const [error] = errors as [OtpError]
    expect(error).toBeInstanceOf(OtpError)
    expect(error.code).toBe('mount_path')
    expect(error.message).toContain(`mounted at "${at}" but \`path\` is "/2fa"`)
    expect(error.message).toContain("app.use('/2fa', otp.router)")
  })
})
