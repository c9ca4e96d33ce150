import { wrongCode } from '../helpers/mailbox.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { concurrently, newUser, SharedHosts, tallyCodes } from '../helpers/shared-hosts.js'

// The short form of processes.slow.test.ts: one database, one round.
describeWithRedis('two processes on one Redis', () => {
  let redis: RedisServer
  let hosts: SharedHosts
  beforeAll(async () => {
    redis = await RedisServer.start()
    hosts = new SharedHosts(redis.url)
    await hosts.mailbox.listen()
  })
  afterAll(async () => {
    await hosts.close()
    await redis.stop()
  })

  test('V2 and C8: five of 200 parallel wrong guesses are compared, one of 100 parallel right answers succeeds', async () => {
    const [one, two] = await hosts.startTwo()
    const guessed = await hosts.asked(one, newUser('guessed'))
    const guesses = await concurrently(200, (i) =>
      guessed.session.post(i % 2 ? one : two, '/2fa/verify', { code: wrongCode(guessed.code) }),
    )
    expect(tallyCodes(guesses)).toEqual({ wrong_code: 5, code_exhausted: 195 })
    expect((await guessed.session.post(two, '/2fa/verify', { code: guessed.code })).code).toBe('code_exhausted')

    const { session, code } = await hosts.asked(one, newUser('answered'))
    const answers = await concurrently(100, (i) => session.post(i % 2 ? one : two, '/2fa/verify', { code }))
    expect(tallyCodes(answers).ok).toBe(1)
    session.cookie = answers.find((answer) => answer.code === 'ok')?.cookie ?? ''
    expect((await session.get(two, '/secret')).body).toEqual({ text: 'the secret' })
  }, 60_000)
})
