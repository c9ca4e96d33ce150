import { MemoryStore as Sessions, type SessionData } from 'express-session'
import { guess } from '../helpers/guessing.js'
import { type Agent, ANA, HostApp, JSON_CLIENT, memorySession } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { type Attempt, MemoryStore, type OtpOptions, type RedeemOutcome } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** A session store that calls `interfere` after a given number of reads. */
class Observed extends Sessions {
  /** The property in which express-session keeps them. */
  declare sessions: Record<string, string>
  interfere: (id: string) => void = () => undefined
  reads = Infinity
  isFailing = false
  /** Reads after which all others fail. */
  readsLeft = Infinity
  /** Called instead of `destroy`. */
  onDestroy: ((id: string, destroy: () => void) => void) | null = null

  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    this.readsLeft -= 1
    if (this.readsLeft < 0) return done(new Error('connection lost'))
    super.get(id, done)
    this.reads -= 1
    if (this.reads === 0) this.interfere(id)
  }

  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    if (this.isFailing) done?.(new Error('disk full'))
    else super.set(id, data, done)
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    const destroy = (): void => {
      super.destroy(id, done)
    }
    if (this.onDestroy) this.onDestroy(id, destroy)
    else destroy()
  }
}

let sessions: Observed
async function start(otp: Partial<OtpOptions> = {}): Promise<void> {
  sessions = new Observed()
  host = await HostApp.start({ session: memorySession({ store: sessions }), otp })
}

const userOf = async (jar: Agent): Promise<unknown> => (await jar.get('/me').expect(200)).body.user

const TRANSFER = { amount: '5', payee: 'Ben' }

/** A client that may do the transfer once. */
async function verifiedForTransfer(): Promise<Agent> {
  const jar = await host.signedIn()
  const { body } = await jar.post('/transfer').send(TRANSFER).expect(401)
  await jar.post('/2fa/send').send({ for: body.for }).expect(200)
  await jar.post('/2fa/verify').send({ for: body.for, code: host.mailbox.code }).expect(200)
  return jar
}

const SIGN_OUTS: readonly [name: string, act: (id: string) => void][] = [
  ['destroys the session', (id) => sessions.destroy(id)],
  [
    'removes the user from it',
    (id) => {
      const { user, ...rest } = JSON.parse(sessions.sessions[id] ?? '{}') as SessionData
      expect(user).toBeDefined()
      sessions.sessions[id] = JSON.stringify(rest)
    },
  ],
]

const ACTS: readonly [
  name: string,
  prepare: (jar: Agent) => Promise<unknown>,
  act: (jar: Agent) => Promise<unknown>,
][] = [
  ['a send', (jar) => jar.post('/2fa/restart').send({}), (jar) => jar.post('/2fa/send').send({})],
  [
    'a resend',
    async () => {
      host.clock.tick(31)
      await Promise.resolve()
    },
    (jar) => jar.post('/2fa/send').send({}),
  ],
  ['the last wrong guess', () => Promise.resolve(), (jar) => guess(jar, wrongCode(host.mailbox.code))],
  ['a right code', () => Promise.resolve(), (jar) => guess(jar, host.mailbox.code)],
  ['a restart', () => Promise.resolve(), (jar) => jar.post('/2fa/restart').send({})],
]

describe.each(SIGN_OUTS)('H16: a sign-out that %s', (_name, signOut) => {
  // The first read is that of the session middleware, the second one that right before the write.
  describe.each([1, 2])('after read %i', (reads) => {
    test.each(ACTS)('stays a sign-out beside %s', async (_act, prepare, act) => {
      await start({ attempts: 1 })
      const { jar } = await host.asked()
      await prepare(jar)
      sessions.interfere = signOut
      sessions.reads = reads
      await act(jar)
      expect(sessions.reads).toBeLessThanOrEqual(0)
      expect(await userOf(jar)).toBeNull()
    })

    test('stays a sign-out beside a guarded action, which does not happen', async () => {
      await start()
      const jar = await verifiedForTransfer()
      sessions.interfere = signOut
      sessions.reads = reads
      await jar.post('/transfer').send(TRANSFER).expect(401)
      expect(host.transfers).toEqual([])
      expect(await userOf(jar)).toBeNull()
    })
  })
})

test('H16: a grant that the guarded action used up is saved before the handler runs', async () => {
  await start()
  const jar = await verifiedForTransfer()
  sessions.isFailing = true
  await jar.post('/transfer').send(TRANSFER).expect(503)
  expect(host.transfers).toEqual([])
})

describe('after the right code', () => {
  const failsOnce = (): NonNullable<OtpOptions['onVerified']> => {
    let calls = 0
    return () => {
      calls += 1
      if (calls === 1) throw new Error('no database')
    }
  }

  test('X1: a host whose onVerified throws keeps its session; the answer says that the code is used', async () => {
    await start({ onVerified: failsOnce() })
    const { jar, code } = await host.asked()
    const failed = await guess(jar, code).expect(500)
    expect(failed.body.detail).toMatch(/^Your code was right.*send yourself a new one/)
    expect(failed.get('Set-Cookie')).toBeUndefined()
    expect(await userOf(jar)).toEqual(ANA)
    expect((await jar.get('/2fa').set(JSON_CLIENT).expect(200)).body).toMatchObject({ state: 'send' })
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    await guess(jar, host.mailbox.code).expect(200)
    await jar.get('/secret').expect(200)
  })

  test('X1: a session store that cannot save then leaves the visitor signed in', async () => {
    await start()
    const { jar, code } = await host.asked()
    sessions.isFailing = true
    const failed = await guess(jar, code).expect(503)
    expect(failed.body.detail).toMatch(/^Your code was right/)
    sessions.isFailing = false
    expect(await userOf(jar)).toEqual(ANA)
    await jar.get('/secret').expect(401)
  })

  test('X1: a store whose answer is lost may have used the code, and the answer says so', async () => {
    class Lossy extends MemoryStore {
      override async redeem(attempt: Attempt): Promise<RedeemOutcome> {
        await super.redeem(attempt)
        throw new Error('connection lost')
      }
    }
    await start({ store: new Lossy() })
    const { jar, code } = await host.asked()
    const failed = await guess(jar, code).expect(503)
    expect(failed.body.detail).toMatch(/if the code no longer works, send yourself a new one/)
    expect(await userOf(jar)).toEqual(ANA)
  })

  test('X1: onVerified may give the session another id itself, as Passport’s login does', async () => {
    await start({
      onVerified: async (req) => {
        const { user } = req.session
        await new Promise((resolve) => req.session.regenerate(resolve))
        Object.assign(req.session, { user })
      },
    })
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    await jar.get('/secret').expect(200)
    const all = await new Promise<object>((resolve) => {
      sessions.all((_error, found) => {
        resolve(found ?? {})
      })
    })
    expect(Object.keys(all)).toHaveLength(1)
  })

  test('X1: a session store that refuses an empty id gives a new one', async () => {
    await start()
    const { jar, code } = await host.asked()
    sessions.onDestroy = (id, destroy) => {
      if (id === '') throw new Error('an id must not be empty')
      destroy()
    }
    await guess(jar, code).expect(200)
    await jar.get('/secret').expect(200)
  })

  test('X1: onVerified may end the session, and then the visitor is signed out', async () => {
    await start({
      onVerified: async (req) => {
        await new Promise((resolve) => req.session.destroy(resolve))
      },
    })
    const { jar, code } = await host.asked()
    const ended = await guess(jar, code)
    expect(ended.status).toBeGreaterThanOrEqual(500)
    expect(ended.get('Set-Cookie')).toBeUndefined()
    expect(await userOf(jar)).toBeNull()
    expect(Object.keys(sessions.sessions)).toEqual([])
  })

  test('H16: a sign-out after the right code stays one, also if the session store fails right then', async () => {
    sessions = new Observed()
    const middleware = memorySession({ store: sessions })
    host = await HostApp.start({
      session: (req, res, next) => {
        middleware(req, res, () => {
          if (req.url === '/2fa/verify') req.session.cart = ['tea']
          next()
        })
      },
    })
    const { jar, code } = await host.asked()
    sessions.onDestroy = (_id, destroy) => {
      destroy()
      sessions.sessions = {}
      sessions.onDestroy = null
    }
    // The reads are that of the session middleware, the one before the new id, and the one that finds the sign-out.
    sessions.readsLeft = 3
    await guess(jar, code).expect(503)
    sessions.readsLeft = Infinity
    expect(await userOf(jar)).toBeNull()
  })
})
