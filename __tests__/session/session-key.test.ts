import { emailOtp } from '../../src/index.js'
import { HostApp, NAVIGATE, sealedIn, SECRET } from '../helpers/host-app.js'

let host: HostApp

afterEach(async () => {
  await host.close()
})

/** A second plugin in the same app and session, at a path of its own. */
async function withSecond(): Promise<() => Promise<void>> {
  let close = (): Promise<void> => Promise.resolve()
  host = await HostApp.start({
    after: (app) => {
      const second = emailOtp({
        secret: SECRET,
        site: { name: 'Acme', origin: 'https://acme.example' },
        mail: { transport: 'smtp://127.0.0.1:1', from: 'Acme <no-reply@acme.example>' },
        user: (req) => req.session.user ?? null,
        path: '/strict',
      })
      close = second.close
      app.use('/strict', second.router)
      app.get('/vault', second.requireOtp(), (_req, res) => void res.send('the vault'))
    },
  })
  return () => close()
}

test('H3: of two plugins in one session, a grant of one opens nothing of the other', async () => {
  const close = await withSecond()
  const { jar, code } = await host.asked()
  await jar.post('/2fa/verify').send({ code }).expect(200)
  await jar.get('/secret').expect(200, 'the secret')
  await jar.get('/vault').expect(401)
  await close()
})

test('H3: what one plugin seals, the other one with the same secret cannot open', async () => {
  const close = await withSecond()
  const jar = await host.signedIn()
  const { body } = await jar.get('/secret').expect(401)
  const own = await jar.get(`/2fa?for=${body.for}`).set(NAVIGATE).expect(200)
  const foreign = await jar.get(`/strict?for=${body.for}`).set(NAVIGATE).expect(200)
  expect(sealedIn(own.text)).toBe(body.for)
  expect(sealedIn(foreign.text)).toBe('')
  await close()
})

test('H3: the session property is named after the path, or as the host says', async () => {
  host = await HostApp.start({
    otp: { sessionKey: 'proof' },
    after: (app) => app.get('/session', (req, res) => void res.json(req.session)),
  })
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
  const jar = await host.signedIn()
  await jar.post('/own').expect(200)
  await jar.post('/2fa/send').send({}).expect(200)
  await host.mailbox.mails(1)
  await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
  const { body } = await jar.get('/session').expect(200)
  expect(body).toMatchObject({ otp: { mine: true }, 'emailOtp:/2fa': expect.any(String) as string })
})
