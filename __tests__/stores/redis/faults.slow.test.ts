import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { guess, tally } from '../../helpers/guessing.js'
import { type Agent, HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithRedis, RedisServer } from '../../helpers/redis-server.js'
import { FaultyProxy } from '../../helpers/faulty-proxy.js'
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.js'

type Send = RedisStoreOptions['send']

describeWithRedis('a Redis that fails: 503 and nothing opens, then all works again without a restart', () => {
  let redis: RedisServer
  let proxy: FaultyProxy
  let host: HostApp
  const closing: (() => void)[] = []

  const nodeRedis = async (): Promise<Send> => {
    const socket = { host: '127.0.0.1', port: proxy.port, reconnectStrategy: 10 }
    const client = createClient({ socket, disableOfflineQueue: true })
    client.on('error', () => undefined)
    await client.connect()
    closing.push(() => {
      client.destroy()
    })
    return (...args) => client.sendCommand(args)
  }
  const ioredis = async (options: object): Promise<Send> => {
    const client = new Redis({ host: '127.0.0.1', port: proxy.port, retryStrategy: () => 10, ...options })
    client.on('error', () => undefined)
    await new Promise((resolve) => client.once('ready', resolve))
    closing.push(() => {
      client.disconnect()
    })
    return (command = '', ...args) => client.call(command, ...args)
  }
  const start = async (send?: Send, deadline = 2): Promise<void> => {
    const store = new RedisStore({ send: send ?? (await nodeRedis()), deadline })
    host = await HostApp.start({ otp: { store, limits: { sendsPerUser: { capacity: 100, refill: 60 } } } })
  }
  /** Checks the answer of a host whose store is down: it reveals nothing about the store. */
  const expectDown = async (answer: PromiseLike<{ status: number; text: string }>): Promise<void> => {
    const { status, text } = await answer
    expect(status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({ code: 'store_unavailable' })
    expect(text).not.toMatch(/redis|ECONN|WRONGTYPE|OOM|otp:\{|127\.0/i)
  }
  const left = async (jar: Agent, code: string): Promise<unknown> =>
    ((await guess(jar, wrongCode(code)).expect(422)).body as { attempts_left: unknown }).attempts_left
  const keys = async (): Promise<string[]> => ((await redis.ask('KEYS', '*')) as string[]).sort()
  const contents = async (names: readonly string[]): Promise<unknown> =>
    Promise.all(
      names.map(async (key) =>
        (await redis.ask('TYPE', key)) === 'hash' ? redis.ask('HGETALL', key) : redis.ask('GET', key),
      ),
    )

  beforeEach(async () => {
    redis = await RedisServer.start()
    proxy = await FaultyProxy.to(redis.port)
  })
  afterEach(async () => {
    await host.close()
    for (const close of closing.splice(0)) close()
    await proxy.close()
    await redis.stop()
  })

  /** Repeats a request until the client has reconnected. */
  const untilUp = async <T extends { status: number }>(request: () => PromiseLike<T>): Promise<T> => {
    for (;;) {
      const answer = await request()
      if (answer.status !== 503) return answer
    }
  }

  test('X3: after a restart without data the old code is refused and a new one opens', async () => {
    await start()
    const { jar, code } = await host.asked()
    await redis.kill()
    await expectDown(guess(jar, code))
    await expectDown(jar.post('/2fa/send').send({}))
    await jar.get('/secret').expect(401)
    await redis.restart()
    const old = await untilUp(() => guess(jar, code))
    expect(old.body).toMatchObject({ code: 'code_expired' })
    await jar.get('/secret').expect(401)
    await jar.post('/2fa/send').send({}).expect(200)
    await guess(jar, host.mailbox.code).expect(200)
    await jar.get('/secret').expect(200)
  })

  test('X3 and B5: an action with a one-use grant is refused while Redis is down', async () => {
    await start()
    const jar = await host.signedIn()
    const action = { amount: 5, payee: 'Ben' }
    const { body } = (await jar.post('/transfer').send(action).expect(401)) as { body: { for: string } }
    await jar.post('/2fa/send').send({ for: body.for }).expect(200)
    await guess(jar, host.mailbox.code, { for: body.for }).expect(200)
    await redis.kill()
    await expectDown(jar.post('/transfer').send(action))
    expect(host.transfers).toEqual([])
    await redis.restart()
    const done = await untilUp(() => jar.post('/transfer').send(action))
    expect(done.status).toBe(200)
    await jar.post('/transfer').send(action).expect(401)
    expect(host.transfers).toHaveLength(1)
  })

  test.each<[string, () => Promise<Send>]>([
    ['node-redis', nodeRedis],
    [
      'ioredis as the README sets it',
      () => ioredis({ enableOfflineQueue: false, autoResendUnfulfilledCommands: false }),
    ],
  ])('V4: a guess whose reply is lost is counted once: %s', async (_name, client) => {
    await start(await client())
    const { jar, code } = await host.asked()
    await left(jar, code)
    proxy.dropsReply = true
    await expectDown(guess(jar, wrongCode(code)))
    const next = await untilUp(() => guess(jar, wrongCode(code)))
    expect(next.body).toMatchObject({ attempts_left: 2 })
    proxy.dropsReply = true
    await expectDown(guess(jar, code))
    const spent = await untilUp(() => guess(jar, code))
    expect(spent.body).toMatchObject({ code: 'code_expired' })
    await jar.get('/secret').expect(401)
  })

  test('ioredis by default repeats commands that may have run, hence the options in the README', async () => {
    await start(await ioredis({}))
    const { jar, code } = await host.asked()
    expect(await left(jar, code)).toBe(4)
    proxy.dropsReply = true
    expect(await left(jar, code)).toBe(2)
  })

  test('V4: a guess slower than the deadline ends as 503, and counts once when it arrives', async () => {
    await start(undefined, 1)
    const { jar, code } = await host.asked()
    proxy.delay = 2_000
    await expectDown(guess(jar, wrongCode(code)))
    await expectDown(guess(jar, code))
    proxy.delay = 0
    // The delayed commands still arrive: the right code ends its challenge.
    while ((await keys()).some((key) => key.includes(':challenge:')))
      await new Promise((resolve) => setTimeout(resolve, 20))
    const spent = await guess(jar, code)
    expect(spent.body).toMatchObject({ code: 'code_expired' })
    await jar.post('/2fa/send').send({}).expect(200)
    expect(await left(jar, host.mailbox.code)).toBe(4)
    await guess(jar, host.mailbox.code).expect(200)
  })

  test.each(['challenge', 'sends', 'failures', 'resend'])(
    'a key of another type at %s: nothing changes, and all works again once it is deleted',
    async (name) => {
      await start()
      const { jar, code } = await host.asked()
      expect(await left(jar, code)).toBe(4)
      const all = await keys()
      const bad = all.find((key) => key.includes(`:${name}`)) ?? ''
      const others = all.filter((key) => key !== bad)
      for (const spoil of [
        ['RPUSH', bad, 'x'],
        ['SET', bad, 'x'],
      ]) {
        await redis.ask('DEL', bad)
        await redis.ask(...spoil)
        const before = await contents(others)
        if (name === 'challenge' || name === 'failures') await expectDown(guess(jar, code))
        await expectDown(jar.post('/2fa/send').send({}))
        expect(await contents(others)).toEqual(before)
        expect(await keys()).toEqual(all)
      }
      await redis.ask('DEL', bad)
      const again = await jar
        .post('/2fa/send')
        .send({})
        .expect(name === 'resend' || name === 'challenge' ? 200 : 429)
      if (again.status === 200) expect(host.mailbox.code === code).toBe(name === 'resend')
      await guess(jar, host.mailbox.code).expect(200)
    },
  )

  test.each(['short', 'long'])(
    'V2: out of memory, right and wrong %s codes end in the same 503 and none is compared',
    async (kind) => {
      await start()
      if (kind === 'long') {
        for (let used = 0; used < 2; used++) {
          const { jar, code } = await host.asked()
          for (let i = 0; i < 5; i++) await guess(jar, wrongCode(code))
        }
      }
      const { jar, code } = await host.asked()
      expect(code.length).toBe(kind === 'long' ? 15 : 6)
      expect(await left(jar, code)).toBe(4)
      const other = await host.signedIn()
      await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
      for (let i = 0; i < 10; i++) {
        await expectDown(guess(jar, code))
        await expectDown(guess(jar, wrongCode(code)))
      }
      await expectDown(other.post('/2fa/send').send({}))
      await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
      expect(await left(jar, code)).toBe(3)
      await guess(jar, code).expect(200)
    },
  )

  test('a read-only replica accepts no code and counts nothing', async () => {
    await start()
    const { jar, code } = await host.asked()
    await redis.ask('REPLICAOF', '127.0.0.1', '1')
    await expectDown(guess(jar, code))
    await expectDown(guess(jar, wrongCode(code)))
    await redis.ask('REPLICAOF', 'NO', 'ONE')
    expect(await left(jar, code)).toBe(4)
    await guess(jar, code).expect(200)
  })

  test('V2: of 200 parallel wrong guesses over failing connections at most five are compared', async () => {
    await start()
    const { jar, code } = await host.asked()
    const cuts = setInterval(() => (proxy.dropsReply = true), 5)
    const answers = await Promise.all(Array.from({ length: 200 }, () => guess(jar, wrongCode(code))))
    clearInterval(cuts)
    proxy.dropsReply = false
    const { wrong_code: compared = 0, code_exhausted = 0, store_unavailable = 0 } = tally(answers)
    expect(compared).toBeLessThanOrEqual(5)
    expect(compared + code_exhausted + store_unavailable).toBe(200)
    for (let i = 0; i < 5; i++) await untilUp(() => guess(jar, wrongCode(code)))
    const right = await untilUp(() => guess(jar, code))
    expect(right.body).toMatchObject({ code: 'code_exhausted' })
  })

  test.each([600, -600])(
    'I2: a clock of the host that jumps by %d s changes no lifetime and no limit',
    async (jump) => {
      await start()
      const { jar, code } = await host.asked()
      host.clock.tick(jump)
      const soon = await jar.post('/2fa/send').send({}).expect(429)
      expect((soon.body as { retry_after: number }).retry_after).toBeLessThanOrEqual(30)
      expect(await left(jar, code)).toBe(4)
      await guess(jar, code).expect(200)
      const [challenge] = (await keys()).filter((key) => key.includes('challenge'))
      expect(challenge).toBeUndefined()
    },
  )
})
