import { createClient } from 'redis'
import { guess } from '../../helpers/guessing.js'
import { HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithRedis, RedisServer } from '../../helpers/redis-server.js'
import { runConformance } from '../../helpers/run-conformance.js'
import { attempt, opening, operations, spending } from '../../helpers/store-requests.js'
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.js'
import { scripts } from '../../../src/stores/redis/scripts.js'
import type { OtpStore } from '../../../src/stores/store.js'

type Send = RedisStoreOptions['send']

/** Each operation, eight in all, with a right code at the end. */
async function runAll(store: OtpStore, user = 'ana'): Promise<void> {
  const extraBuckets = ['hour', 'day'].map((bucket) => ({ bucket, capacity: 9, refill: 60 }))
  const request = { ...opening(user, 'a'), extraBuckets }
  await store.open(request)
  await store.open({ ...request, existing: request.fresh, fresh: { ...request.fresh, id: 'b' } })
  await store.spend({ ...spending, user })
  await store.spend({ ...spending, user, permits: -1 })
  await store.spend({ ...spending, user })
  await store.redeem(attempt(user, 'a', 'wrong'))
  await store.redeem(attempt(user, 'a', 'short a'))
  await store.redeem(attempt(user, 'a', 'short a'))
}

describe('the options of a Redis store', () => {
  const send: Send = () => Promise.resolve(null)
  test.each<[string, object, RegExp]>([
    ['no `send`', {}, /^RedisStore: (unknown )?option `send` is missing.*sendCommand/],
    ['a client instead of `send`', { send: {} }, /^RedisStore: (unknown )?option `send`/],
    ['a misspelt one', { send, prefx: 'a' }, /^RedisStore: (unknown )?option `prefx`.*prefix/],
    ['a brace in the prefix', { send, prefix: '{otp}' }, /^RedisStore: (unknown )?option `prefix`.*braces/],
    ['a deadline of zero', { send, deadline: 0 }, /^RedisStore: (unknown )?option `deadline` is 0.*0.1 to 60/],
    [
      'a deadline that is no number',
      { send, deadline: Number.NaN },
      /^RedisStore: (unknown )?option `deadline` is NaN/,
    ],
  ])('%s is an error that says what to write', (_name, options, message) => {
    expect(() => new RedisStore(options as RedisStoreOptions)).toThrow(message)
  })
})

describe('commands to Redis', () => {
  test.each([
    'NOSCRIPT No matching script. Please use EVAL.',
    'An error was signalled by the server: - NoScriptError: No matching script. Please use EVAL.', // Valkey GLIDE 2.5
  ])('I6: an operation is one command once Redis knows the script, and two the first time: %s', async (unknown) => {
    const sent: string[][] = []
    const cached = new Set<string>()
    const store = new RedisStore({
      send: (...args) => {
        sent.push(args)
        const [command = '', script = ''] = args
        if (command === 'EVALSHA' && !cached.has(script)) return Promise.reject(new Error(unknown))
        cached.add(scripts.spend.sha)
        return Promise.resolve([0])
      },
    })
    await store.spend(spending)
    expect(sent.map(([command]) => command)).toEqual(['EVALSHA', 'EVAL'])
    await store.spend(spending)
    expect(sent.map(([command]) => command)).toEqual(['EVALSHA', 'EVAL', 'EVALSHA'])
    expect(sent[1]?.slice(2)).toEqual(sent[0]?.slice(2))
  })

  test.each([
    'ERR an error whose text speaks of NOSCRIPT',
    'NOSCRIPTS',
    'An error was signalled by the server: - ResponseError: it speaks of a NoScriptError: ',
    'OOM command not allowed when used memory > maxmemory',
    'Socket closed unexpectedly',
    'LOADING Redis is loading the dataset in memory',
    'ETIMEDOUT',
    'UNKILLABLE',
    '',
  ])('a script is not sent again after %p: it may have counted', async (message) => {
    let sent = 0
    const store = new RedisStore({
      send: () => {
        sent += 1
        return Promise.reject(new Error(message))
      },
    })
    for (const [, run] of operations) {
      sent = 0
      await expect(run(store)).rejects.toThrow(message)
      expect(sent).toBe(1)
    }
  })

  test('a NOSCRIPT to the EVAL itself is an error, not a loop', async () => {
    let sent = 0
    const send = () => Promise.reject(new Error(`NOSCRIPT ${String((sent += 1))}`))
    await expect(new RedisStore({ send }).spend(spending)).rejects.toThrow('NOSCRIPT 2')
  })
})

describe('replies of Redis', () => {
  const answering = (reply: unknown): OtpStore => new RedisStore({ send: () => Promise.resolve(reply) })
  const unexpected = [
    null,
    undefined,
    'OK',
    0,
    [],
    {},
    [9],
    [-1],
    [0.5],
    ['x'],
    [''],
    ['0x0'],
    [Number.NaN],
    [[0]],
    [null],
    [true],
  ]
  const wrongLength = [
    [0, 0],
    [0, 0, 0],
    [1],
    [1, 2, 3, 4],
    [0, 0, 0, 5, 60, 1],
    [2, 0, 0],
    [0, 2, 0, 5, 60],
    [1, 4, 2],
    [3, 30],
  ]
  test.each(operations)('an unexpected reply to %s is an error', async (_name, run) => {
    for (const reply of [...unexpected, ...wrongLength])
      await expect(run(answering(reply))).rejects.toThrow('unexpected reply')
  })

  test('an existing challenge that was not in the request is an error', async () => {
    await expect(answering([0, 1, 0, 5, 600]).open(opening('ana', 'a'))).rejects.toThrow('unexpected reply')
  })

  test('an outcome from 3 names an extra bucket of the request, and any other is an error', async () => {
    const extraBuckets = ['hour', 'day'].map((bucket) => ({ bucket, capacity: 1, refill: 60 }))
    const request = { ...opening('ana', 'a'), sends: { bucket: 'mails', capacity: 1, refill: 60 }, extraBuckets }
    for (const [i, bucket] of ['resend', 'sends', 'hour', 'day'].entries())
      expect(await answering([i + 1, 30]).open(request)).toEqual({ outcome: 'throttled', bucket, retryAfter: 30 })
    for (const outcome of [0, 5])
      await expect(answering([outcome, 30]).open(request)).rejects.toThrow('unexpected reply')
  })

  test('whole numbers may be numbers, text or BigInts', async () => {
    const forms: ((value: number) => unknown)[] = [Number, String, BigInt]
    for (const form of forms) {
      const outcome = { outcome: 'mismatch', attemptsLeft: 4, escalated: true }
      expect(await answering([1, 4, 1].map(form)).redeem(attempt('ana', 'a', 'x'))).toEqual(outcome)
      expect(await answering([1, 30].map(form)).spend(spending)).toEqual({ outcome: 'throttled', retryAfter: 30 })
    }
  })
})

describeWithRedis('on a real Redis', () => {
  let redis: RedisServer
  const closing: (() => unknown)[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterEach(async () => {
    await redis.ask('FLUSHALL')
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await redis.stop()
  })

  const nodeRedis = async (options: object = {}): Promise<Send> => {
    const client = createClient({ url: redis.url, ...options })
    client.on('error', () => undefined)
    await client.connect()
    closing.push(() => {
      client.destroy()
    })
    return (...args) => client.sendCommand(args)
  }
  const keys = async (): Promise<string[]> => (await redis.ask('KEYS', '*')) as string[]

  describe('the store conforms through node-redis:', () => {
    let send: Send | null = null
    const makeStore = async () => new RedisStore({ send: (send ??= await nodeRedis()) })
    runConformance(makeStore, (seconds) => redis.passTime(seconds), { shared: true })
  })

  test('I1: every key has a TTL, also if clients are killed during operations', async () => {
    for (let round = 0; round < 10; round++) {
      const send = await nodeRedis({ socket: { reconnectStrategy: false } })
      const store = new RedisStore({ send })
      const all = Array.from({ length: 60 }, (_, i) => runAll(store, `user ${round}-${i}`).catch(() => undefined))
      await new Promise((resolve) => setTimeout(resolve, round))
      await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await Promise.all(all)
    }
    expect((await keys()).length).toBeGreaterThan(50)
    const withoutTtl = `
      local found = {}
      for _, key in ipairs(redis.call('KEYS', '*')) do
        if redis.call('PTTL', key) < 0 then table.insert(found, key) end
      end
      return found`
    expect(await redis.ask('EVAL', withoutTtl, '0')).toEqual([])
  })

  test('I6: Redis itself counts one command per operation', async () => {
    const send = await nodeRedis()
    const store = new RedisStore({ send })
    await runAll(store, 'warm')
    await redis.ask('CONFIG', 'RESETSTAT')
    await runAll(store, 'ana')
    const stats = String(await redis.ask('INFO', 'commandstats'))
    expect(stats).toMatch(/cmdstat_evalsha:calls=8,/)
    expect(stats).not.toMatch(/cmdstat_eval:/)
  })

  test('scripts that Redis forgot are sent again, and count once', async () => {
    const store = new RedisStore({ send: await nodeRedis() })
    await store.open(opening('ana', 'a'))
    await redis.ask('SCRIPT', 'FLUSH')
    expect(await store.redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    await redis.ask('SCRIPT', 'FLUSH')
    expect(await store.redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 3 })
  })

  test('C9: a challenge has the TTL of its lifetime, and opening it again does not extend it', async () => {
    const store = new RedisStore({ send: await nodeRedis(), prefix: 'mine:' })
    const request = { ...opening('ana', 'a'), lifetime: 10 }
    await store.open(request)
    await redis.ask('PEXPIRE', 'mine:{ana}:challenge:a', '5000')
    const again = await store.open({ ...request, existing: request.fresh, fresh: { ...request.fresh, id: 'b' } })
    expect(again).toMatchObject({ outcome: 'opened', id: 'a', repeated: true, expiresIn: 5 })
    await store.redeem(attempt('ana', 'a', 'wrong'))
    expect(Number(await redis.ask('PTTL', 'mine:{ana}:challenge:a'))).toBeLessThanOrEqual(5000)
    await redis.ask('PEXPIRE', 'mine:{ana}:challenge:a', '1')
    while ((await redis.ask('EXISTS', 'mine:{ana}:challenge:a')) === 1);
    expect(await store.redeem(attempt('ana', 'a', 'short a'))).toEqual({ outcome: 'not_found' })
  })

  test('C3 and I4: after a verification no key and no value contains an address, an id or a code', async () => {
    const host = await HostApp.start({ otp: { store: new RedisStore({ send: await nodeRedis() }) } })
    try {
      const { jar, code } = await host.asked({ id: 'the id of Ana', email: 'ana@example.com' })
      await guess(jar, wrongCode(code)).expect(422)
      const held: string[] = []
      for (const key of await keys()) {
        const isHash = (await redis.ask('TYPE', key)) === 'hash'
        held.push(key, JSON.stringify(isHash ? await redis.ask('HVALS', key) : await redis.ask('GET', key)))
      }
      expect(held.length).toBeGreaterThanOrEqual(8)
      for (const text of held) {
        expect(text).not.toMatch(/@|example|the id of Ana/)
        expect(text).not.toContain(code)
      }
      await guess(jar, code).expect(200)
      await jar.get('/secret').expect(200)
    } finally {
      await host.close()
    }
  })
})
