import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { runConformance } from '../../helpers/run-conformance.js'
import { guess } from '../../helpers/guessing.js'
import { HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithRedis, RedisServer } from '../../helpers/redis-server.js'
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.js'
import { scripts } from '../../../src/stores/redis/scripts.js'
import type { Attempt, BucketRequest, OpenRequest, OtpStore } from '../../../src/stores/store.js'

type Send = RedisStoreOptions['send']

const LIMIT = { capacity: 100, refill: 60 }
const opening = (user: string, id: string): OpenRequest => ({
  user,
  existing: null,
  fresh: { id, short: `short ${id}`, long: `long ${id}` },
  lifetime: 600,
  attempts: 5,
  sends: LIMIT,
  resend: LIMIT,
  failures: LIMIT,
})
const attempt = (user: string, id: string, digest: string): Attempt => {
  return { user, id, kind: 'short', digest, failures: LIMIT }
}
const one: BucketRequest = { user: 'ana', bucket: 'mails', ...LIMIT }

/** Each act once, with a right code at the end. */
async function eachAct(store: OtpStore, user = 'ana'): Promise<void> {
  const begin = opening(user, 'a')
  await store.open(begin)
  await store.open({ ...begin, existing: begin.fresh, fresh: { ...begin.fresh, id: 'b' } })
  await store.spend({ ...one, user })
  await store.spend({ ...one, user, permits: -1 })
  await store.spend({ ...one, user })
  await store.redeem(attempt(user, 'a', 'wrong'))
  await store.redeem(attempt(user, 'a', 'short a'))
  await store.redeem(attempt(user, 'a', 'short a'))
}

describe('the options of a Redis store', () => {
  const send: Send = () => Promise.resolve(null)
  test.each<[string, object, RegExp]>([
    ['no `send`', {}, /`RedisStore.send` is missing.*sendCommand/],
    ['a client instead of `send`', { send: {} }, /`RedisStore.send`/],
    ['a misspelt one', { send, prefx: 'a' }, /`RedisStore.prefx`.*prefix/],
    ['a brace in the prefix', { send, prefix: '{otp}' }, /`RedisStore.prefix`.*braces/],
    ['no deadline to speak of', { send, deadline: 0 }, /`RedisStore.deadline` is 0.*0.1 to 60/],
    ['a deadline that is no number', { send, deadline: Number.NaN }, /`RedisStore.deadline` is NaN/],
  ])('%s is an error that names the cure', (_name, options, message) => {
    expect(() => new RedisStore(options as RedisStoreOptions)).toThrow(message)
  })
})

describe('what is sent to Redis', () => {
  test.each([
    'NOSCRIPT No matching script. Please use EVAL.',
    'An error was signalled by the server: - NoScriptError: No matching script. Please use EVAL.', // Valkey GLIDE 2.5
  ])('I6: one command an act once the script is known there, two the first time: %s', async (unknown) => {
    const sent: string[][] = []
    const known = new Set<string>()
    const store = new RedisStore({
      send: (...args) => {
        sent.push(args)
        const [command = '', script = ''] = args
        if (command === 'EVALSHA' && !known.has(script)) return Promise.reject(new Error(unknown))
        known.add(scripts.spend.sha)
        return Promise.resolve([0])
      },
    })
    await store.spend(one)
    expect(sent.map(([command]) => command)).toEqual(['EVALSHA', 'EVAL'])
    await store.spend(one)
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
    for (const act of [
      () => store.spend(one),
      () => store.redeem(attempt('ana', 'a', 'x')),
      () => store.open(opening('ana', 'a')),
    ]) {
      sent = 0
      await expect(act()).rejects.toThrow(message)
      expect(sent).toBe(1)
    }
  })

  test('a NOSCRIPT to the EVAL itself is an error, not a loop', async () => {
    let sent = 0
    const send = () => Promise.reject(new Error(`NOSCRIPT ${String((sent += 1))}`))
    await expect(new RedisStore({ send }).spend(one)).rejects.toThrow('NOSCRIPT 2')
  })
})

describe('what Redis answers', () => {
  const answering = (reply: unknown): OtpStore => new RedisStore({ send: () => Promise.resolve(reply) })
  const acts: [string, (store: OtpStore) => Promise<unknown>][] = [
    ['open', (store) => store.open(opening('ana', 'a'))],
    ['redeem', (store) => store.redeem(attempt('ana', 'a', 'x'))],
    ['spend', (store) => store.spend(one)],
  ]
  const odd = [
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
  ]
  test.each(acts)('an answer to %s of any other shape is an error', async (_act, run) => {
    for (const reply of [...odd, ...wrongLength]) await expect(run(answering(reply))).rejects.toThrow('none that these')
  })

  test('a repeat of what was not asked to be repeated is an error', async () => {
    await expect(answering([0, 1, 0, 5, 600]).open(opening('ana', 'a'))).rejects.toThrow('none that these scripts give')
  })

  test('whole numbers are understood as numbers, as text and as BigInts', async () => {
    const forms: ((value: number) => unknown)[] = [Number, String, BigInt]
    for (const form of forms) {
      const outcome = { outcome: 'mismatch', attemptsLeft: 4, escalated: true }
      expect(await answering([1, 4, 1].map(form)).redeem(attempt('ana', 'a', 'x'))).toEqual(outcome)
      expect(await answering([1, 30].map(form)).spend(one)).toEqual({ outcome: 'throttled', retryAfter: 30 })
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
  const ioredis = (options: object = {}): Send => {
    const client = new Redis(redis.url, options)
    closing.push(() => {
      client.disconnect()
    })
    return (command = '', ...args) => client.call(command, ...args)
  }
  /** All keys, with what they hold and how long. */
  const keys = async (): Promise<string[]> => (await redis.ask('KEYS', '*')) as string[]

  describe.each<[string, () => Send | Promise<Send>]>([
    ['node-redis', () => nodeRedis()],
    ['node-redis with the older protocol', () => nodeRedis({ RESP: 2 })],
    ['ioredis', () => ioredis()],
    ['ioredis with numbers as text', () => ioredis({ stringNumbers: true })],
  ])('the store conforms through %s:', (_name, client) => {
    let send: Send | null = null
    const makeStore = async () => new RedisStore({ send: (send ??= await client()) })
    runConformance(makeStore, (seconds) => redis.passTime(seconds), { shared: true })
  })

  test('I1: every key has a TTL, also when clients are killed amid their acts', async () => {
    for (let round = 0; round < 10; round++) {
      const send = await nodeRedis({ socket: { reconnectStrategy: false } })
      const store = new RedisStore({ send })
      const acts = Array.from({ length: 60 }, (_, i) => eachAct(store, `user ${round}-${i}`).catch(() => undefined))
      await new Promise((resolve) => setTimeout(resolve, round))
      await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await Promise.all(acts)
    }
    const all = await keys()
    expect(all.length).toBeGreaterThan(50)
    for (const key of all) expect(Number(await redis.ask('PTTL', key))).toBeGreaterThan(0)
  })

  test('I6: Redis itself sees one command an act', async () => {
    const send = await nodeRedis()
    const store = new RedisStore({ send })
    await eachAct(store, 'warm')
    await redis.ask('CONFIG', 'RESETSTAT')
    await eachAct(store, 'ana')
    const stats = String(await redis.ask('INFO', 'commandstats'))
    expect(stats).toMatch(/cmdstat_evalsha:calls=8,/)
    expect(stats).not.toMatch(/cmdstat_eval:/)
  })

  test('scripts that Redis forgot are brought again, and count once', async () => {
    const store = new RedisStore({ send: await nodeRedis() })
    await store.open(opening('ana', 'a'))
    await redis.ask('SCRIPT', 'FLUSH')
    expect(await store.redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    await redis.ask('SCRIPT', 'FLUSH')
    expect(await store.redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 3 })
  })

  test('C9: a challenge has the TTL of its lifetime, which no repeat extends', async () => {
    const store = new RedisStore({ send: await nodeRedis(), prefix: 'mine:' })
    const begin = { ...opening('ana', 'a'), lifetime: 10 }
    await store.open(begin)
    await redis.ask('PEXPIRE', 'mine:{ana}:challenge:a', '5000')
    const again = await store.open({ ...begin, existing: begin.fresh, fresh: { ...begin.fresh, id: 'b' } })
    expect(again).toMatchObject({ outcome: 'opened', id: 'a', repeated: true, expiresIn: 5 })
    await store.redeem(attempt('ana', 'a', 'wrong'))
    expect(Number(await redis.ask('PTTL', 'mine:{ana}:challenge:a'))).toBeLessThanOrEqual(5000)
    await redis.ask('PEXPIRE', 'mine:{ana}:challenge:a', '1')
    while ((await redis.ask('EXISTS', 'mine:{ana}:challenge:a')) === 1);
    expect(await store.redeem(attempt('ana', 'a', 'short a'))).toEqual({ outcome: 'not_found' })
  })

  test('C3 and I4: after a journey no key and no value holds an address, an id or a code', async () => {
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
