import { BEN } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { describeWithPostgres, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { concurrently, newUser, SharedHosts, SharedSession, tallyCodes } from '../helpers/shared-hosts.js'

const UNLIMITED = { capacity: 1000, refill: 1 }

interface Database {
  readonly url: string
  stop(): Promise<void>
}

function testTwoProcesses(start: () => Promise<Database>): void {
  let database: Database
  let hosts: SharedHosts
  beforeAll(async () => {
    database = await start()
  })
  beforeEach(async () => {
    hosts = new SharedHosts(database.url)
    await hosts.mailbox.listen()
  })
  afterEach(() => hosts.close())
  afterAll(() => database.stop())

  test('V2: of 200 parallel wrong guesses at two processes five are compared, in each of 50 rounds', async () => {
    const [one, two] = await hosts.startTwo()
    for (let round = 0; round < 50; round++) {
      const { session, code } = await hosts.asked(one, newUser(`guessed ${round}`))
      const guesses = await concurrently(200, (i) =>
        session.post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(code) }),
      )
      expect(tallyCodes(guesses)).toEqual({ wrong_code: 5, code_exhausted: 195 })
      const left = guesses.filter(({ code }) => code === 'wrong_code').map(({ body }) => body.attempts_left)
      expect(left.sort()).toEqual([0, 1, 2, 3, 4])
      expect((await session.post(two, '/2fa/verify', { code })).code).toBe('code_exhausted')
      expect((await session.get(one, '/secret')).code).toBe('otp_required')
    }
  }, 900_000)

  test('C8: of 100 parallel right answers at two processes exactly one succeeds', async () => {
    const [one, two] = await hosts.startTwo()
    for (let round = 0; round < 10; round++) {
      const { session, code } = await hosts.asked(one, newUser(`answered ${round}`))
      const answers = await concurrently(100, (i) => session.post(i % 2 ? one : two, '/2fa/verify', { code }))
      const { ok, ...others } = tallyCodes(answers)
      expect(ok).toBe(1)
      for (const code of Object.keys(others))
        expect(['code_expired', 'no_challenge', 'sign_in_required']).toContain(code)
      const winner = answers.find(({ code }) => code === 'ok')
      session.cookie = winner?.cookie ?? ''
      expect((await session.get(two, '/secret')).body).toEqual({ text: 'the secret' })
    }
  })

  test('V3: a wrong guess at another process never costs the right one its challenge', async () => {
    const [one, two] = await hosts.startTwo()
    for (let round = 0; round < 50; round++) {
      const { session, code } = await hosts.asked(two, newUser(`raced ${round}`))
      const right = () => session.post(round % 2 ? one : two, '/2fa/verify', { code })
      const wrong = () => session.post(round % 2 ? two : one, '/2fa/verify', { code: wrongCode(code) })
      const answers = await (round % 4 < 2 ? Promise.all([right(), wrong()]) : Promise.all([wrong(), right()]))
      expect(tallyCodes(answers).ok).toBe(1)
    }
  })

  test('V5: three sessions at two processes take their wrong guesses from one bucket', async () => {
    const otp = { limits: { failures: { capacity: 13, refill: 432_000 }, sendsPerUser: UNLIMITED } }
    const [one, two] = await hosts.startTwo({ otp })
    const user = newUser('shared')
    for (const at of [one, two, one]) {
      const { session, code } = await hosts.asked(at, user)
      const other = at === one ? two : one
      const guesses = await concurrently(4, (i) =>
        session.post(i % 2 ? at : other, '/2fa/verify', { code: wrongCode(code) }),
      )
      expect(tallyCodes(guesses)).toEqual({ wrong_code: 4 })
    }
    const { session, code } = await hosts.asked(two, user)
    expect(code).toMatch(/^\d{6}$/)
    await session.post(one, '/2fa/verify', { code: wrongCode(code) })
    expect((await session.post(two, '/2fa/verify', { code })).code).toBe('long_code_required')
    expect((await hosts.asked(one, user)).code).toMatch(/^[0-9A-Z]{5}-/)
    expect((await hosts.asked(two, BEN as { id: string; email: string })).code).toMatch(/^\d{6}$/)
  })

  test('B5: a grant for one action is spent once, though two processes are asked at the same moment', async () => {
    const [one, two] = await hosts.startTwo({ otp: { limits: { sendsPerUser: UNLIMITED } } })
    const user = newUser('payer')
    for (let round = 0; round < 10; round++) {
      const action = { amount: round + 1, payee: 'Ben' }
      const session = await SharedSession.of(one, user)
      const { for: sealed } = (await session.post(one, '/transfer', action)).body
      expect((await session.post(two, '/2fa/send', { for: sealed })).code).toBe('ok')
      const verified = await session.post(one, '/2fa/verify', { for: sealed, code: hosts.mailbox.code })
      expect(verified.code).toBe('ok')
      session.cookie = verified.cookie ?? session.cookie
      const actions = await Promise.all([one, two].map((at) => session.post(at, '/transfer', action)))
      expect(tallyCodes(actions)).toEqual({ ok: 1, otp_required: 1 })
    }
  })

  test('I2: codes and limits are right in two processes whose clocks are twenty minutes apart', async () => {
    const [ahead, behind] = await Promise.all([hosts.start({ clockOffset: 600 }), hosts.start({ clockOffset: -600 })])
    const user = newUser('timeless')
    // Sent at one, guessed at the other: the lifetime is by the clock of the database.
    const { session, code } = await hosts.asked(ahead, user)
    const again = await session.post(behind, '/2fa/send', {})
    expect(again).toMatchObject({ code: 'too_many_requests' })
    expect(again.body.retry_after).toBeGreaterThanOrEqual(20)
    expect(again.body.retry_after).toBeLessThanOrEqual(30)
    const wrong = await session.post(behind, '/2fa/verify', { code: wrongCode(code) })
    expect(wrong.body).toMatchObject({ code: 'wrong_code', attempts_left: 4 })
    const right = await session.post(behind, '/2fa/verify', { code })
    expect(right.code).toBe('ok')
    session.cookie = right.cookie ?? ''
    expect((await session.get(ahead, '/secret')).code).toBe('ok')
    expect((await session.get(behind, '/secret')).code).toBe('ok')

    // Grants are by the clock of the app: one from the future opens nothing.
    const other = await hosts.asked(behind, newUser('early'))
    const early = await other.session.post(ahead, '/2fa/verify', { code: other.code })
    other.session.cookie = early.cookie ?? ''
    expect((await other.session.get(ahead, '/secret')).code).toBe('ok')
    expect((await other.session.get(behind, '/secret')).code).toBe('otp_required')
  })

  test('X3: if one process is killed during guesses, the other continues with all that were counted', async () => {
    const [one, two] = await hosts.startTwo()
    const { session, code } = await hosts.asked(one, newUser('survivor'))
    const cut = concurrently(2, (i) =>
      session.post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(code) }).catch(() => null),
    )
    await one.kill()
    await cut
    const next = await session.post(two, '/2fa/verify', { code: wrongCode(code) })
    expect(next.code).toBe('wrong_code')
    expect([2, 3]).toContain(next.body.attempts_left)
    expect((await session.post(two, '/2fa/verify', { code })).code).toBe('ok')
  })
}

describeWithRedis('two processes on one Redis', () => {
  testTwoProcesses(() => RedisServer.start())
})

describeWithPostgres('two processes on one PostgreSQL', () => {
  testTwoProcesses(() => PostgresServer.start())
})
