import { ANA } from '../helpers/host-app.js'
import type { HostProcess } from '../helpers/host-process.js'
import { wrongCode } from '../helpers/mailbox.js'
import { describeWithPostgres, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { type Answer, newUser, SharedHosts, SharedSession, tallyCodes } from '../helpers/shared-hosts.js'

interface Database {
  readonly url: string
  stop(): Promise<void>
}

interface Asked {
  readonly session: SharedSession
  readonly code: string
}

type Act = (host: HostProcess, asked: Asked) => Promise<Answer>

const ROUNDS = 50
const UNLIMITED = { capacity: 1000, refill: 1 }
const OTP = { limits: { sendsPerUser: UNLIMITED, resendAfter: 1 } }
const TRANSFER = { amount: '5', payee: 'Ben' }

const post =
  (page: string, body: (asked: Asked) => object = () => ({})): Act =>
  (host, asked) =>
    asked.session.post(host, page, body(asked))

/** What runs beside a sign-out, and what it needs before. */
const ACTS: [name: string, act: Act, prepare: Act | null][] = [
  ['a send', post('/2fa/send'), post('/2fa/restart')],
  ['a resend', post('/2fa/send'), null],
  ['the last wrong guess', post('/2fa/verify', ({ code }) => ({ code: wrongCode(code) })), null],
  ['a right code', post('/2fa/verify', ({ code }) => ({ code })), null],
  ['a restart', post('/2fa/restart'), null],
]

const SIGN_OUTS = [
  ['destroys the session', '/logout'],
  ['removes the user from it', '/remove-user'],
] as const

/** @param mostRevived in how many of the rounds a sign-out may fall between the reading and the writing of the session */
function testRaces(start: () => Promise<Database>, mostRevived: number): void {
  let database: Database
  let hosts: SharedHosts
  let one: HostProcess
  let two: HostProcess
  beforeAll(async () => {
    database = await start()
    hosts = new SharedHosts(database.url)
    await hosts.mailbox.listen()
    ;[one, two] = await hosts.startTwo({ otp: { ...OTP, attempts: 1 } })
  })
  afterAll(async () => {
    await hosts.close()
    await database.stop()
  })

  /** Who is signed in under a cookie. */
  const userOf = async (cookie: string): Promise<unknown> => {
    const session = new SharedSession()
    session.cookie = cookie
    return (await session.get(two, '/me')).body.user
  }

  /** Runs rounds of an act beside a sign-out. Returns in how many the old cookie is still somebody. */
  async function race(act: Act, signOut: string, prepare: Act | null, ask = hosts.asked.bind(hosts)) {
    const revived: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const asked = await ask(one, newUser(`${signOut} ${round}`))
      await prepare?.(one, asked)
      const { cookie } = asked.session
      // Later and later, so that the sign-out meets each stage of the act.
      const signedOut = delay(round % 10).then(() => asked.session.post(two, signOut, {}))
      await Promise.all([act(one, asked), signedOut])
      if ((await userOf(cookie)) !== null) revived.push(round)
    }
    return revived
  }

  describe.each(SIGN_OUTS)('H16: a sign-out that %s', (_name, page) => {
    test.each(ACTS)('stays a sign-out beside %s', async (_act, act, prepare) => {
      expect((await race(act, page, prepare)).length).toBeLessThanOrEqual(mostRevived)
    })

    test('stays a sign-out beside a guarded action', async () => {
      const verified = async (host: HostProcess, user: object): Promise<Asked> => {
        const session = await SharedSession.of(host, user)
        const { body } = await session.post(host, '/transfer', TRANSFER)
        const before = hosts.mailbox.received.length
        await session.post(host, '/2fa/send', { for: body.for })
        await hosts.mailbox.mails(before + 1)
        const answer = await session.post(host, '/2fa/verify', { for: body.for, code: hosts.mailbox.code })
        session.cookie = answer.cookie ?? ''
        return { session, code: '' }
      }
      const act = post('/transfer', () => TRANSFER)
      expect((await race(act, page, null, verified)).length).toBeLessThanOrEqual(mostRevived)
    })
  })

  test('H16: a resend beside a right code leaves the old id signed out', async () => {
    const revived: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { session, code } = await hosts.asked(one, newUser(`renewed ${round}`))
      const resent = delay(round % 10).then(() => session.post(two, '/2fa/send', {}))
      const [verified] = await Promise.all([session.post(one, '/2fa/verify', { code }), resent])
      if ((await userOf(session.cookie)) !== null) revived.push(round)
      expect(verified.code).toBe('ok')
      session.cookie = verified.cookie ?? ''
      expect((await session.get(two, '/secret')).code).toBe('ok')
    }
    expect(revived.length).toBeLessThanOrEqual(mostRevived)
  })

  test('H17: of two sends at one moment in one session one mails, and its code is right', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const session = await SharedSession.of(one, { ...newUser(`twice ${round}`), email: ANA.email })
      const before = hosts.mailbox.received.length
      const answers = await Promise.all([session.post(one, '/2fa/send', {}), session.post(two, '/2fa/send', {})])
      expect(tallyCodes(answers)).toEqual({ ok: 1, too_many_requests: 1 })
      await hosts.mailbox.mails(before + 1)
      expect(hosts.mailbox.received).toHaveLength(before + 1)
      expect((await session.post(one, '/2fa/verify', { code: hosts.mailbox.code })).code).toBe('ok')
    }
  })
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describeWithRedis('two processes on Redis', () => {
  testRaces(() => RedisServer.start(), 0)
})
// Without the refresh it is nearly every round.
describeWithPostgres('two processes on PostgreSQL', () => {
  testRaces(() => PostgresServer.start(), ROUNDS / 2)
})
