import { MemoryStore as Sessions } from 'express-session'
import request, { type Response } from 'supertest'
import { cookieOf } from '../helpers/guessing.js'
import { ANA, Clock, HostApp, memorySession, sealedIn, SECRET } from '../helpers/host-app.js'
import { MemoryStore } from '../../src/index.js'

const [A, B] = [SECRET, 'another-secret-for-tests-of-32-characters']
const ALL = { A: [A], AB: [A, B], BA: [B, A], B: [B] }
type Secrets = keyof typeof ALL

let open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})

/** Two processes of one site in the middle of a rolling deploy: one asks for a code, the other one gets it. */
async function deploy(asking: Secrets, verifying: Secrets) {
  const clock = new Clock()
  const store = new MemoryStore({ now: clock.now })
  const sessions = new Sessions()
  const start = (secret: string[]): Promise<HostApp> =>
    HostApp.start({ otp: { secret, store, now: clock.now }, session: memorySession({ store: sessions }) })
  const [one, two] = [await start(ALL[asking]), await start(ALL[verifying])]
  open = [one, two, store]
  const cookie = cookieOf(await request(one.origin).post('/login').send({ user: ANA }))
  const post = (host: HostApp, path: string, body: object): Promise<Response> =>
    request(host.origin).post(path).set('Cookie', cookie).send(body)
  const shut = await request(one.origin).get('/secret').set('Cookie', cookie).expect(401)
  const step = { for: (shut.body as { for: string }).for }
  expect(await post(one, '/2fa/send', step)).toMatchObject({ status: 200 })
  return { one, two, clock, cookie, post, step, code: one.mailbox.code }
}

test.each<[Secrets, Secrets]>([
  ['A', 'AB'],
  ['AB', 'A'],
  ['AB', 'BA'],
  ['BA', 'AB'],
  ['BA', 'B'],
  ['B', 'BA'],
])('C4: on the way from [A] to [B], a code asked for at %s is verified at %s', async (asking, verifying) => {
  const warn = jest.spyOn(process, 'emitWarning').mockReturnValue()
  const { two, cookie, post, step, code } = await deploy(asking, verifying)
  const page = await request(two.origin).get('/2fa').query(step).set('Cookie', cookie).set('Accept', 'text/html')
  expect(sealedIn(page.text)).toBe(step.for)
  const done = await post(two, '/2fa/verify', { ...step, code })
  expect(done.body).toEqual({ verified: true, purpose: 'access', return_to: '/secret' })
  expect(warn).not.toHaveBeenCalled()
  warn.mockRestore()
})

const UNKNOWN = { type: 'ExpressEmailOtpWarning', code: 'OTP_UNKNOWN_SECRET' }

// Before the next test: a process warns once.
test('C4: a challenge of a removed secret that has expired is no reason for a warning', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockReturnValue()
  const { two, clock, post, code } = await deploy('A', 'B')
  clock.tick(600)
  expect((await post(two, '/2fa/verify', { code })).status).toBe(422)
  expect((await post(two, '/2fa/send', {})).status).toBe(200)
  expect(warn).not.toHaveBeenCalled()
  warn.mockRestore()
})

test('C4: without the first step a code is refused and counts nothing, and the process warns once', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockReturnValue()
  const { one, two, post, step, code } = await deploy('BA', 'A')
  for (let i = 0; i < 6; i++) {
    const refused = await post(two, '/2fa/verify', { code })
    expect(refused.body).toMatchObject({ status: 422, code: 'code_expired' })
  }
  expect((await post(one, '/2fa/verify', { ...step, code })).status).toBe(200)
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/every process \[old, new\], then/), UNKNOWN]])
  warn.mockRestore()
})
