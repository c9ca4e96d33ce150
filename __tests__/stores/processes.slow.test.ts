import { ANA, BEN } from '../helpers/host-app.js'
import { HostProcess, type Orders } from '../helpers/host-process.js'
import { Mailbox, wrongCode } from '../helpers/mailbox.js'
import { describeWithPostgres, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'

const MANY = { capacity: 1000, refill: 1 }

/** What a client was told: 200 is `ok`, a problem its code. */
interface Told {
  readonly told: string
  readonly body: Record<string, unknown>
  readonly cookie: string | null
}

/** One session, used at any process. */
class Session {
  cookie = ''

  async post(host: HostProcess, page: string, body: object): Promise<Told> {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json', Cookie: this.cookie }
    return read(await fetch(host.origin + page, { method: 'POST', headers, body: JSON.stringify(body) }))
  }

  async get(host: HostProcess, page: string): Promise<Told> {
    return read(await fetch(host.origin + page, { headers: { Accept: 'application/json', Cookie: this.cookie } }))
  }

  static async of(host: HostProcess, user = ANA): Promise<Session> {
    const session = new Session()
    const { cookie } = await session.post(host, '/login', { user })
    session.cookie = cookie ?? ''
    return session
  }
}

async function read(answer: Response): Promise<Told> {
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false
  const body = (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>
  const cookie = answer.headers.get('set-cookie')?.replace(/;.*/, '') ?? null
  return { told: answer.status === 200 ? 'ok' : String(body.code), body, cookie }
}

function tally(answers: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { told } of answers) counts[told] = (counts[told] ?? 0) + 1
  return counts
}

const times = <T>(count: number, act: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => act(i)))

let mailbox: Mailbox
beforeEach(async () => {
  mailbox = await new Mailbox().listen()
})
afterEach(async () => {
  await mailbox.close()
})

function onTwoProcesses(database: { start: () => Promise<{ url: string; stop: () => Promise<void> }> }): void {
  let server: { url: string; stop: () => Promise<void> }
  const hosts: HostProcess[] = []
  beforeAll(async () => {
    server = await database.start()
  }, 60_000)
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.kill()
  })
  afterAll(async () => {
    await server.stop()
  })

  const host = async (more: Partial<Orders> = {}): Promise<HostProcess> => {
    const started = await HostProcess.start({ store: server.url, smtp: mailbox.url, ...more })
    hosts.push(started)
    return started
  }
  const twins = (more?: Partial<Orders>): Promise<HostProcess[]> => Promise.all([host(more), host(more)])
  const freshUser = (name: string) => ({ id: `${name} ${Math.floor(performance.now() * 1000)}`, email: ANA.email })
  /** A session that has asked for a code, and the code. */
  const asked = async (at: HostProcess, user: { id: string; email: string }) => {
    const session = await Session.of(at, user)
    const before = mailbox.received.length
    expect((await session.post(at, '/2fa/send', {})).told).toBe('ok')
    await mailbox.mails(before + 1)
    return { session, code: mailbox.code }
  }

  test('V2: of 200 parallel wrong guesses at two processes five are looked at, in each of 50 rounds', async () => {
    const [one, two] = (await twins()) as [HostProcess, HostProcess]
    for (let round = 0; round < 50; round++) {
      const { session, code } = await asked(one, freshUser(`guessed ${round}`))
      const guesses = await times(200, (i) => session.post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(code) }))
      expect(tally(guesses)).toEqual({ wrong_code: 5, code_exhausted: 195 })
      const left = guesses.filter(({ told }) => told === 'wrong_code').map(({ body }) => body.attempts_left)
      expect(left.sort()).toEqual([0, 1, 2, 3, 4])
      expect((await session.post(two, '/2fa/verify', { code })).told).toBe('code_exhausted')
      expect((await session.get(one, '/secret')).told).toBe('otp_required')
    }
  }, 180_000)

  test('C8: of 100 parallel right answers at two processes exactly one succeeds', async () => {
    const [one, two] = (await twins()) as [HostProcess, HostProcess]
    for (let round = 0; round < 10; round++) {
      const { session, code } = await asked(one, freshUser(`answered ${round}`))
      const answers = await times(100, (i) => session.post(i % 2 ? one : two, '/2fa/verify', { code }))
      const { ok, ...others } = tally(answers)
      expect(ok).toBe(1)
      for (const told of Object.keys(others))
        expect(['code_expired', 'no_challenge', 'sign_in_required']).toContain(told)
      const winner = answers.find(({ told }) => told === 'ok')
      session.cookie = winner?.cookie ?? ''
      expect((await session.get(two, '/secret')).body).toEqual({ text: 'the secret' })
    }
  }, 120_000)

  test('V3: a wrong guess at another process never costs the right one its challenge', async () => {
    const [one, two] = (await twins()) as [HostProcess, HostProcess]
    for (let round = 0; round < 50; round++) {
      const { session, code } = await asked(two, freshUser(`raced ${round}`))
      const right = () => session.post(round % 2 ? one : two, '/2fa/verify', { code })
      const wrong = () => session.post(round % 2 ? two : one, '/2fa/verify', { code: wrongCode(code) })
      const answers = await (round % 4 < 2 ? Promise.all([right(), wrong()]) : Promise.all([wrong(), right()]))
      expect(tally(answers).ok).toBe(1)
    }
  }, 120_000)

  test('V5: three sessions at two processes take their wrong guesses from one bucket', async () => {
    const otp = { limits: { failures: { capacity: 13, refill: 432_000 }, sendsPerUser: MANY } }
    const [one, two] = (await twins({ otp })) as [HostProcess, HostProcess]
    const user = freshUser('shared')
    for (const at of [one, two, one]) {
      const { session, code } = await asked(at, user)
      const other = at === one ? two : one
      const guesses = await times(4, (i) => session.post(i % 2 ? at : other, '/2fa/verify', { code: wrongCode(code) }))
      expect(tally(guesses)).toEqual({ wrong_code: 4 })
    }
    const { session, code } = await asked(two, user)
    expect(code).toMatch(/^\d{6}$/)
    await session.post(one, '/2fa/verify', { code: wrongCode(code) })
    expect((await session.post(two, '/2fa/verify', { code })).told).toBe('long_code_required')
    expect((await asked(one, user)).code).toMatch(/^[0-9A-Z]{5}-/)
    expect((await asked(two, BEN as { id: string; email: string })).code).toMatch(/^\d{6}$/)
  }, 60_000)

  test('B5: a grant for one action is spent once, though two processes are asked at the same moment', async () => {
    const [one, two] = (await twins({ otp: { limits: { sendsPerUser: MANY } } })) as [HostProcess, HostProcess]
    const user = freshUser('payer')
    for (let round = 0; round < 10; round++) {
      const action = { amount: round + 1, payee: 'Ben' }
      const session = await Session.of(one, user)
      const { for: sealed } = (await session.post(one, '/transfer', action)).body
      expect((await session.post(two, '/2fa/send', { for: sealed })).told).toBe('ok')
      const verified = await session.post(one, '/2fa/verify', { for: sealed, code: mailbox.code })
      expect(verified.told).toBe('ok')
      session.cookie = verified.cookie ?? session.cookie
      const actions = await Promise.all([one, two].map((at) => session.post(at, '/transfer', action)))
      expect(tally(actions)).toEqual({ ok: 1, otp_required: 1 })
    }
  }, 60_000)

  test('I2: codes and limits hold between processes whose clocks are twenty minutes apart', async () => {
    const [ahead, behind] = await Promise.all([host({ clockOff: 600 }), host({ clockOff: -600 })])
    const user = freshUser('timeless')
    // Asked for at the one, mistyped and typed at the other: the lifetime is that of the database's clock.
    const { session, code } = await asked(ahead, user)
    const again = await session.post(behind, '/2fa/send', {})
    expect(again).toMatchObject({ told: 'too_many_requests' })
    expect(again.body.retry_after).toBeGreaterThanOrEqual(20)
    expect(again.body.retry_after).toBeLessThanOrEqual(30)
    const wrong = await session.post(behind, '/2fa/verify', { code: wrongCode(code) })
    expect(wrong.body).toMatchObject({ code: 'wrong_code', attempts_left: 4 })
    const right = await session.post(behind, '/2fa/verify', { code })
    expect(right.told).toBe('ok')
    session.cookie = right.cookie ?? ''
    expect((await session.get(ahead, '/secret')).told).toBe('ok')
    expect((await session.get(behind, '/secret')).told).toBe('ok')

    // A grant from the future opens nothing: that is the clock of the app, and it fails closed.
    const other = await asked(behind, freshUser('early'))
    const early = await other.session.post(ahead, '/2fa/verify', { code: other.code })
    other.session.cookie = early.cookie ?? ''
    expect((await other.session.get(ahead, '/secret')).told).toBe('ok')
    expect((await other.session.get(behind, '/secret')).told).toBe('otp_required')
  }, 60_000)

  test('X3: when one process is killed amid guesses, the other goes on with what was counted', async () => {
    const [one, two] = (await twins()) as [HostProcess, HostProcess]
    const { session, code } = await asked(one, freshUser('survivor'))
    const cut = times(2, (i) =>
      session.post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(code) }).catch(() => null),
    )
    await one.kill()
    await cut
    const next = await session.post(two, '/2fa/verify', { code: wrongCode(code) })
    expect(next.told).toBe('wrong_code')
    expect([2, 3]).toContain(next.body.attempts_left)
    expect((await session.post(two, '/2fa/verify', { code })).told).toBe('ok')
  }, 60_000)
}

describeWithRedis('two processes on one Redis', () => {
  onTwoProcesses(RedisServer)
})

describeWithPostgres('two processes on one PostgreSQL', () => {
  onTwoProcesses(PostgresServer)
})
