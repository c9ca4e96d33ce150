import cookieSession from 'cookie-session'
import type { RequestHandler } from 'express'
import { MemoryStore as Sessions, type SessionData } from 'express-session'
import { guess } from '../helpers/guessing.js'
import { ANA, HostApp, memorySession } from '../helpers/host-app.js'
import type { OtpUser } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

type Done = (error: unknown, data?: SessionData | null) => void

test('H16: a session store whose methods are async and answer by their callback later still has its sessions', async () => {
  class Deferring extends Sessions {
    override get(id: string, done: Done): undefined {
      setTimeout(() => {
        super.get(id, done)
      }, 5)
      return Promise.resolve() as unknown as undefined
    }
  }
  host = await HostApp.start({ session: memorySession({ store: new Deferring() }) })
  const { jar, code } = await host.asked()
  await guess(jar, code).expect(200)
  await jar.get('/secret').expect(200)
})

test('H16: a session store that regenerates too late leaves the visitor signed in', async () => {
  class Late extends Sessions {
    isLate = false
    answer = (): void => undefined
    override destroy(id: string, done?: (error?: unknown) => void): void {
      if (!this.isLate) return super.destroy(id, done)
      this.isLate = false
      this.answer = () => {
        super.destroy(id, done)
      }
    }
    override get(id: string, done: Done): void {
      this.answer()
      super.get(id, done)
    }
  }
  const sessions = new Late()
  host = await HostApp.start({ session: memorySession({ store: sessions }) })
  const { jar, code } = await host.asked()
  sessions.isLate = true
  const verifying = guess(jar, code)
    .expect(503)
    .then((response) => response.get('Set-Cookie'))
  const timer = setInterval(() => {
    host.clock.tick(1)
  }, 100)
  const cookies = await verifying
  clearInterval(timer)
  expect(cookies).toBeUndefined()
  expect((await jar.get('/me').expect(200)).body.user).toEqual(ANA)
})

test.each(['callback', 'promise'])(
  'H5: a used-up grant is saved before the handler runs, in a session that is saved by %s only',
  async (how) => {
    const stored = new Map<string, object>()
    const savedWhenRun: unknown[] = []
    host = await HostApp.start({
      session: savedByHand(stored, how === 'promise'),
      after: (app, otp) => {
        const guard = otp.requireOtp({ purpose: 'pay', details: () => ({ amount: 5 }) })
        app.post('/pay', guard, (_req, res) => {
          savedWhenRun.push(JSON.stringify([...stored.values()]).includes('"pay'))
          res.json({ paid: true })
        })
      },
    })
    const jar = host.jar().set('Cookie', 'id=ana')
    stored.set('ana', { user: ANA })
    for (let payments = 0; payments < 2; payments++) {
      const { body } = await jar.post('/pay').expect(401)
      await jar.post('/2fa/send').send({ for: body.for }).expect(200)
      await jar.post('/2fa/verify').send({ for: body.for, code: host.mailbox.code }).expect(200)
      await jar.post('/pay').expect(200)
    }
    await jar.post('/pay').expect(401)
    expect(savedWhenRun).toEqual([false, false])
  },
)

/** A session that nothing saves at the end of a request, as iron-session's. */
function savedByHand(stored: Map<string, object>, byPromise: boolean): RequestHandler {
  return (req, _res, next) => {
    const id = /id=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
    const session = structuredClone(stored.get(id) ?? {})
    const save = (done?: () => void): Promise<void> | undefined => {
      stored.set(id, structuredClone({ ...session }))
      if (byPromise) return Promise.resolve()
      done?.()
      return undefined
    }
    Object.defineProperty(session, 'save', { value: save })
    Object.assign(req, { session })
    next()
  }
}

test('H4: five open actions and five proven ones leave a visitor with cookie-session signed in', async () => {
  const long: OtpUser = {
    id: 'x'.repeat(64),
    email: `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`,
  }
  host = await HostApp.start({
    session: cookieSession({ name: 's', keys: ['key'] }),
    after: (app, otp) => {
      for (let i = 0; i < 10; i++) {
        app.post(`/act${i}`, otp.requireOtp({ purpose: `act${i}`, details: () => i }), (_req, res) => res.json({}))
      }
    },
  })
  const jar = await host.signedIn(long)
  let size = 0
  for (let i = 0; i < 10; i++) {
    host.clock.tick(5_760) // a send for each
    const { body } = await jar.post(`/act${i}`).expect(401)
    const sent = await jar.post('/2fa/send').send({ for: body.for }).expect(200)
    const last = i < 5 ? await guess(jar, host.mailbox.code, { for: body.for }).expect(200) : sent
    size = Math.max(size, String(last.get('Set-Cookie')?.[0]).length)
  }
  expect(size).toBeLessThan(4_096)
  expect((await jar.get('/me').expect(200)).body).toMatchObject({ user: { id: long.id } })
})
