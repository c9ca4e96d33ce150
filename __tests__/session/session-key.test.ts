import { ANA, BEN, type Agent, Clock, HostApp, NAVIGATE, sealedIn, SECRET } from '../helpers/host-app.js'
import { Mailbox } from '../helpers/mailbox.js'
import { emailOtp, type EmailOtp, MemoryStore, type OtpOptions } from '../../src/index.js'

let host: HostApp
let open: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})

/** The host app and a second plugin, at /strict, in the same app and session. It has a mailbox of its own. */
async function withSecond(second: Partial<OtpOptions> = {}, first: Partial<OtpOptions> = {}): Promise<Mailbox> {
  const mailbox = await new Mailbox().listen()
  const clock = new Clock()
  let strict: EmailOtp | null = null
  host = await HostApp.start({
    otp: { now: clock.now, ...first },
    after: (app) => {
      strict = emailOtp({
        secret: SECRET,
        site: { name: 'Acme', origin: 'https://acme.example' },
        mail: { transport: mailbox.url, from: 'Acme <no-reply@acme.example>' },
        user: (req) => req.session.user ?? null,
        path: '/strict',
        now: clock.now,
        ...second,
      })
      app.use('/strict', strict.router)
      app.get('/vault', strict.requireOtp(), (_req, res) => void res.send('the vault'))
      app.post('/forget', (req, res) => {
        strict?.forget(req)
        res.json({})
      })
    },
  })
  open = [host, { close: async () => strict?.close() }, mailbox]
  return mailbox
}

/** Asks for a code at one of the two plugins. */
async function askAt(path: '/2fa' | '/strict', mailbox: Mailbox, jar: Agent, body: object = {}): Promise<string> {
  const before = mailbox.received.length
  await jar.post(`${path}/send`).send(body).expect(200)
  await mailbox.mails(before + 1)
  return mailbox.code
}

const OTHER_SECRET = 'another-secret-for-tests-of-32-characters'
/** What two plugins may have in common or not. */
const DIFFERENCES: [string, Partial<OtpOptions>][] = [
  ['nothing but its path', {}],
  ['another secret', { secret: OTHER_SECRET }],
  ['the other secret as an old one', { secret: [OTHER_SECRET, SECRET] }],
  ['another code format', { code: { digits: 12 } }],
  ['typed addresses of another kind', { typedEmail: { accept: (email) => email.endsWith('@acme.example') } }],
]

describe.each(DIFFERENCES)('a second plugin with %s', (_name, second) => {
  test('H3: a grant of one opens nothing of the other', async () => {
    const mailbox = await withSecond(second)
    const jar = await host.signedIn()
    await jar
      .post('/2fa/verify')
      .send({ code: await askAt('/2fa', host.mailbox, jar) })
      .expect(200)
    await jar.get('/secret').expect(200, 'the secret')
    await jar.get('/vault').expect(401)

    const other = await host.signedIn(BEN)
    await other
      .post('/strict/verify')
      .send({ code: await askAt('/strict', mailbox, other) })
      .expect(200)
    await other.get('/vault').expect(200, 'the vault')
    await other.get('/secret').expect(401)
  })

  test('H3: a code of one is not taken at the other, where it counts nothing without a challenge', async () => {
    const mailbox = await withSecond(second)
    const jar = await host.signedIn()
    const code = await askAt('/2fa', host.mailbox, jar)
    const alone = await jar.post('/strict/verify').send({ code }).expect(422)
    expect(alone.body.code).toMatch(/^(?:no_challenge|invalid_code_format)$/)
    const strict = await askAt('/strict', mailbox, jar)
    expect(strict).not.toBe(code)
    await jar.post('/strict/verify').send({ code }).expect(422)
    await jar.get('/vault').expect(401)
    // Each is still taken where it belongs.
    await jar.post('/strict/verify').send({ code: strict }).expect(200)
    await jar.post('/2fa/verify').send({ code }).expect(200)
    await jar.get('/vault').expect(200)
    await jar.get('/secret').expect(200)
  })

  test('H3: what one seals, the other cannot open', async () => {
    await withSecond(second)
    const jar = await host.signedIn()
    for (const [guarded, own, foreign] of [
      ['/secret', '/2fa', '/strict'],
      ['/vault', '/strict', '/2fa'],
    ] as const) {
      const { body } = await jar.get(guarded).expect(401)
      expect(sealedIn((await jar.get(`${own}?for=${body.for}`).set(NAVIGATE)).text)).toBe(body.for)
      expect((await jar.get(`${foreign}?for=${body.for}`).set(NAVIGATE)).text).not.toContain(body.for)
    }
  })
})

test('H3: an address proven at an open plugin is nobody at the guard of a strict one', async () => {
  const anybody = { user: () => null, typedEmail: true }
  const mailbox = await withSecond({ ...anybody, typedEmail: { accept: (email) => email === ANA.email } }, anybody)
  const stranger = host.jar()
  const code = await askAt('/2fa', host.mailbox, stranger, { email: 'stranger@evil.example' })
  await stranger.post('/2fa/verify').send({ code }).expect(200)
  await stranger.get('/secret').expect(200)
  await stranger.get('/vault').expect(401)
  await stranger.post('/strict/verify').send({ code }).expect(422)
  await stranger.get('/vault').expect(401)
  expect(mailbox.received).toEqual([])
})

test('H3: with one store, wrong codes at one plugin are counted for the other', async () => {
  const store = new MemoryStore()
  const mailbox = await withSecond({ store }, { store })
  open.push(store)
  const jar = await host.signedIn()
  for (let round = 0; round < 2; round++) {
    const code = await askAt('/2fa', host.mailbox, jar)
    const wrong = code === '000000' ? '000001' : '000000'
    for (let i = 0; i < 5; i++) await jar.post('/2fa/verify').send({ code: wrong })
  }
  // Ten failures are all that a user has, wherever the codes were typed.
  expect(await askAt('/strict', mailbox, jar)).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}$/)
})

test('H3: forgetting at one plugin leaves the grant of the other', async () => {
  const mailbox = await withSecond()
  const jar = await host.signedIn()
  const [code, strict] = [await askAt('/2fa', host.mailbox, jar), await askAt('/strict', mailbox, jar)]
  await jar.post('/2fa/verify').send({ code }).expect(200)
  await jar.post('/strict/verify').send({ code: strict }).expect(200)
  await jar.post('/forget').expect(200)
  await jar.get('/vault').expect(401)
  await jar.get('/secret').expect(200)
})

test('H3: two plugins with the same session key and secret share their grants', async () => {
  await withSecond({ sessionKey: 'proof' }, { sessionKey: 'proof' })
  const jar = await host.signedIn()
  await jar
    .post('/2fa/verify')
    .send({ code: await askAt('/2fa', host.mailbox, jar) })
    .expect(200)
  await jar.get('/vault').expect(200)
})

test('H3: the session property is named after the path, or as the host says', async () => {
  host = await HostApp.start({
    otp: { sessionKey: 'proof' },
    after: (app) => app.get('/session', (req, res) => void res.json(req.session)),
  })
  open = [host]
  const { jar, code } = await host.asked()
  await jar.post('/2fa/verify').send({ code }).expect(200)
  const { body } = await jar.get('/session').expect(200)
  expect(Object.keys(body as object).sort()).toEqual(['cookie', 'proof', 'user'])
})

test("H3: the host's own req.session.otp survives", async () => {
  host = await HostApp.start({
    after: (app) => {
      app.post('/own', (req, res) => {
        Object.assign(req.session, { otp: { mine: true } })
        res.json({})
      })
      app.get('/session', (req, res) => void res.json(req.session))
    },
  })
  open = [host]
  const jar = await host.signedIn()
  await jar.post('/own').expect(200)
  await jar.post('/2fa/send').send({}).expect(200)
  await host.mailbox.mails(1)
  await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
  const { body } = await jar.get('/session').expect(200)
  expect(body).toMatchObject({ otp: { mine: true }, 'emailOtp:/2fa': expect.any(String) as string })
})
