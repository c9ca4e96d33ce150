import type { Request } from 'express'
import { type Agent, ANA, HostApp, type HostOptions, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import type { OtpStore, OtpUser } from '../../src/index.js'

const HELP = 'https://acme.example/help'

let host: HostApp
afterEach(() => host.close())

/** A client that is signed in as a user with this address. */
async function signedInWith(email: unknown, options: HostOptions = {}): Promise<Agent> {
  const site = { name: 'Acme', origin: 'https://acme.example', supportUrl: HELP }
  host = await HostApp.start({ ...options, otp: { site, ...options.otp } })
  return host.signedIn({ id: 'u7', email } as OtpUser)
}

const CANNOT_BE_MAILED: [string, unknown][] = [
  ['is missing', undefined],
  ['is null', null],
  ['is empty', ''],
  ['is a list', [ANA.email]],
  ['names two', 'ana@example.com,eve@example.org'],
  ['has a quoted local part', '"ana.smith"@example.com'],
  ['has two dots in a row', 'ana..smith@example.com'],
  ['has a UTF-8 local part', 'jörg@example.com'],
  ['is of a single-label host', 'ana@intranet'],
]

describe('A1: a signed-in user whose address', () => {
  test.each(CANNOT_BE_MAILED)(
    '%s gets no_address everywhere, and nothing is mailed or counted',
    async (_what, email) => {
      let calls = 0
      const count = (): never => {
        calls += 1
        throw new Error('the store was asked')
      }
      const store: OtpStore = { open: count, redeem: count, spend: count }
      const jar = await signedInWith(email, { otp: { store, typedEmail: true } })
      const answers = [
        await jar.get('/secret').set(NAVIGATE),
        await jar.get('/secret').set(JSON_CLIENT),
        await jar.post('/transfer').send({ amount: '5', payee: 'Ben' }),
        await jar.get('/2fa').set(NAVIGATE),
        await jar.get('/2fa?for=x').set(JSON_CLIENT),
        await jar.post('/2fa/send').send({ email: 'ana@example.com' }),
        await jar.post('/2fa/verify').send({ code: '123456' }),
        await jar.post('/2fa/restart').type('form').set(NAVIGATE).send({}),
      ]
      for (const { status, text, type } of answers) {
        expect(status).toBe(403)
        if (type === 'text/html') {
          expect(text).toContain('We cannot mail you a code')
          expect(text).toContain(`href="${HELP}"`)
          expect(text).not.toContain('otp-button')
        } else expect(JSON.parse(text)).toMatchObject({ code: 'no_address', status: 403 })
      }
      expect(calls).toBe(0)
      expect(host.mailbox.received).toEqual([])
      expect(host.transfers).toEqual([])
      expect(host.events).toHaveLength(answers.length)
      for (const event of host.events) {
        expect(event).toMatchObject({ type: 'failed', outcome: 'invalid_user', error: { field: 'email' } })
        expect(event).toMatchObject({ error: { message: expect.stringContaining('one plain address') as string } })
      }
    },
  )

  test('was removed after a verification is let in no more', async () => {
    const jar = await signedInWith(ANA.email)
    await jar.post('/2fa/send').send({}).expect(200)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    await jar.get('/secret').expect(200)
    await jar.post('/login').send({ user: { id: 'u7', email: null } })
    await jar.get('/secret').expect(403)
  })

  test('is mailable gets a code beside one who has none', async () => {
    const without = await signedInWith(null)
    const ana = await host.signedIn()
    const [refused, sent] = await Promise.all([without.post('/2fa/send').send({}), ana.post('/2fa/send').send({})])
    expect([refused.status, sent.status]).toEqual([403, 200])
    await host.mailbox.mails(1)
    expect(host.mailbox.last.to).toEqual([ANA.email])
  })

  test('cannot be mailed is led by start() to the page that says so', async () => {
    const jar = await signedInWith('ana@intranet', {
      after: (app, otp) => {
        app.post('/start', (req, res, next) => {
          otp.start(req).then((result) => res.json(result), next)
        })
      },
    })
    const { body } = await jar.post('/start').expect(200)
    expect(body).toEqual({ url: '/2fa', delivery: 'failed' })
    expect((await jar.get('/2fa').set(NAVIGATE).expect(403)).text).toContain(HELP)
  })

  test('is not verified for status(), which throws nothing', async () => {
    const jar = await signedInWith(ANA.email, {
      after: (app, otp) => void app.get('/status', async (req: Request, res) => void res.json(await otp.status(req))),
    })
    await jar.post('/2fa/send').send({}).expect(200)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    expect((await jar.get('/status').expect(200)).body).toMatchObject({ verified: true, email: ANA.email })
    await jar.post('/login').send({ user: { id: 'u7', email: '' } })
    const { body } = await jar.get('/status').expect(200)
    expect(body).toEqual({ verified: false, email: null, verifiedAt: null, purposes: [] })
  })
})

test('a user without an id is the error of a host, not of a visitor', async () => {
  host = await HostApp.start()
  const jar = await host.signedIn({ email: ANA.email } as OtpUser)
  expect((await jar.get('/secret').set(JSON_CLIENT).expect(500)).body).toMatchObject({ code: 'internal_error' })
})
