import type { ErrorRequestHandler, Request } from 'express'
import { type Agent, ANA, BEN, BROWSER, HostApp, JSON_CLIENT } from '../helpers/host-app.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'
import type { OtpOptions, StartOptions } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** A host whose own sign-in mails the code. */
async function started(options: StartOptions = {}, otp: Partial<OtpOptions> = {}): Promise<Agent> {
  host = await HostApp.start({
    otp,
    after: (app, { start, status, forget }) => {
      app.all('/start', async (req: Request, res) => void res.json(await start(req, options)))
      app.post('/sign-in-again', async (req: Request, res) => {
        req.session.user = BEN
        delete req.session.cart
        await start(req, options)
        res.json({})
      })
      app.get('/status', async (req: Request, res) => void res.json(await status(req)))
      app.post('/sign-out', (req: Request, res) => {
        forget(req)
        res.json({})
      })
      const tell: ErrorRequestHandler = (error: { code?: string; message?: string }, _req, res, next) => {
        if (res.headersSent) next(error)
        else res.status(500).json({ code: error.code, message: error.message })
      }
      app.use(tell)
    },
  })
  return host.signedIn()
}

describe('otp.start()', () => {
  test('keeps what the host has added, changed and removed in the same request', async () => {
    await started()
    const jar = host.jar()
    await jar
      .post('/login')
      .send({ user: ANA, cart: ['a book'] })
      .expect(200)
    await jar.post('/sign-in-again').expect(200)
    expect((await jar.get('/me').expect(200)).body).toEqual({ user: BEN, cart: null })
    expect((await jar.get('/2fa').set(JSON_CLIENT).expect(200)).body).toMatchObject({ state: 'code' })
  })

  test('mails the code and gives the page for it, which redirects to `returnTo` afterwards', async () => {
    const jar = await started({ returnTo: '/account' })
    const { body } = await jar.post('/start').expect(200)
    expect(body).toEqual({ url: expect.stringMatching(/^\/2fa\?for=[\w-]+$/) as string, delivery: 'sent' })
    const page = await jar
      .get(body.url as string)
      .set(BROWSER)
      .expect(200)
    expect(page.text).toContain('Enter the 6-digit code')
    const sealed = new URL(body.url as string, 'https://acme.example').searchParams.get('for')
    const done = await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
    expect(done.body.return_to).toBe('/account')
    expect((await jar.post('/start').expect(200)).body).toEqual({ url: '/account', delivery: 'none' })
    expect(host.mailbox.received).toHaveLength(1)
  })

  test('takes purpose, details and description as values', async () => {
    const jar = await started({
      purpose: 'transfer',
      details: { amount: '5', payee: 'ben' },
      describe: 'Send 5 EUR',
    })
    const { body } = await jar.post('/start').expect(200)
    expect(host.mailbox.last.mail.text).toContain('Send 5 EUR')
    const sealed = new URL(body.url as string, 'https://acme.example').searchParams.get('for')
    await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
    await jar.post('/transfer').send({ amount: '500', payee: 'ben' }).expect(401)
    await jar.post('/transfer').send({ amount: '5', payee: 'ben' }).expect(200)
    expect(host.transfers).toEqual([{ amount: '5', payee: 'ben' }])
  })

  test.each(['get', 'head'] as const)('S4: on a %s it throws instead of mailing', async (method) => {
    const jar = await started()
    await jar[method]('/start').expect(500)
    expect(host.mailbox.received).toEqual([])
  })

  test.each(['//evil.example', 'https://evil.example', '/2fa', '/2fa/send', ''])(
    'W2: with returnTo %p the return page is home',
    async (returnTo) => {
      const jar = await started({ returnTo }, { home: '/home' })
      const { body } = await jar.post('/start').expect(200)
      const sealed = new URL(body.url as string, 'https://acme.example').searchParams.get('for')
      const done = await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
      expect(done.body.return_to).toBe('/home')
    },
  )

  test('says when it is too soon, and when the mail failed', async () => {
    const jar = await started()
    await jar.post('/start').expect(200)
    expect((await jar.post('/start').expect(200)).body.delivery).toBe('throttled')
    await host.close()
    const smtp = await ScriptedSmtp.listen({ mail: '550 5.7.60 not you' })
    const other = await started({}, { mail: { transport: smtp.url, from: 'no-reply@acme.example' } })
    expect((await other.post('/start').expect(200)).body.delivery).toBe('failed')
    await smtp.close()
  })

  test('without a signed-in user it throws, or gives the page that asks for an address', async () => {
    await started()
    expect((await host.jar().post('/start').expect(500)).body.code).toBe('invalid_user')
    await host.close()
    await started({}, { user: () => null, typedEmail: true })
    const { body } = await host.jar().post('/start').expect(200)
    expect(body.delivery).toBe('none')
    const page = await host
      .jar()
      .get(body.url as string)
      .set(BROWSER)
      .expect(200)
    expect(page.text).toContain('name="email"')
  })

  test.each<[StartOptions, string]>([
    [{ purpose: 'Not A Purpose' }, 'invalid_option'],
    [{ details: new Map() }, 'invalid_details'],
    [{ details: { amount: NaN } }, 'invalid_details'],
  ])('refuses %p', async (options, code) => {
    const jar = await started(options)
    expect((await jar.post('/start').expect(500)).body.code).toBe(code)
    expect(host.mailbox.received).toEqual([])
  })
})

describe('otp.status() and otp.forget()', () => {
  test('show the state of a session, and end it', async () => {
    const jar = await started()
    const nothing = { verified: false, email: null, verifiedAt: null, purposes: [] }
    expect((await jar.get('/status')).body).toEqual(nothing)
    await jar.post('/2fa/send').send({}).expect(200)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    const verifiedAt = new Date(host.clock.ms).toISOString()
    expect((await jar.get('/status')).body).toEqual({
      verified: true,
      email: ANA.email,
      verifiedAt,
      purposes: ['access'],
    })
    await jar.get('/secret').expect(200)
    await jar.post('/sign-out').expect(200)
    expect((await jar.get('/status')).body).toEqual(nothing)
    await jar.get('/secret').expect(401)
  })

  test('count neither an old grant nor another person’s', async () => {
    const jar = await started()
    await jar.post('/2fa/send').send({}).expect(200)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    await jar.post('/login').send({ user: BEN }).expect(200)
    expect((await jar.get('/status')).body.verified).toBe(false)
    await jar.post('/login').send({ user: ANA }).expect(200)
    expect((await jar.get('/status')).body.verified).toBe(true)
    host.clock.tick(43_200)
    expect((await jar.get('/status')).body).toMatchObject({ verified: false, purposes: [] })
  })
})

describe('otp.close()', () => {
  test('takes no more mail, and may be called twice', async () => {
    const jar = await started()
    await host.otp.close()
    await host.otp.close()
    expect((await jar.post('/2fa/send').send({}).expect(503)).body.code).toBe('mail_unavailable')
    expect(host.mailbox.received).toEqual([])
  })

  test('leaves a store of the host’s own open', async () => {
    const close = jest.fn(() => Promise.resolve())
    const store = {
      open: () => Promise.reject(new Error('unused')),
      redeem: () => Promise.reject(new Error('unused')),
      spend: () => Promise.reject(new Error('unused')),
      close,
    }
    await started({}, { store })
    await host.otp.close()
    expect(close).not.toHaveBeenCalled()
  })
})
