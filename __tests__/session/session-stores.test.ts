import { MemoryStore as Sessions, type SessionData } from 'express-session'
import { guess } from '../helpers/guessing.js'
import { ANA, HostApp, memorySession } from '../helpers/host-app.js'

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
