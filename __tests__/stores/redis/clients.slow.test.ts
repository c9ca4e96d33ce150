import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describeWithRedis, RedisServer } from '../../helpers/redis-server.js'
import { runConformance } from '../../helpers/run-conformance.js'
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.js'

type Send = RedisStoreOptions['send']

// redis-store.test.ts runs the cases through node-redis with its defaults.
describeWithRedis('on a real Redis', () => {
  let redis: RedisServer
  const closing: (() => void)[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(async () => {
    for (const close of closing) close()
    await redis.stop()
  })

  const nodeRedis = async (options: object): Promise<Send> => {
    const client = createClient({ url: redis.url, ...options })
    client.on('error', () => undefined)
    await client.connect()
    closing.push(() => {
      client.destroy()
    })
    return (...args) => client.sendCommand(args)
  }
  const ioredis = (options: object): Send => {
    const client = new Redis(redis.url, options)
    closing.push(() => {
      client.disconnect()
    })
    return (command = '', ...args) => client.call(command, ...args)
  }

  describe.each<[string, () => Send | Promise<Send>]>([
    ['node-redis with the older protocol', () => nodeRedis({ RESP: 2 })],
    ['ioredis', () => ioredis({})],
    ['ioredis with numbers as text', () => ioredis({ stringNumbers: true })],
  ])('the store conforms through %s:', (_name, client) => {
    let send: Send | null = null
    const makeStore = async () => new RedisStore({ send: (send ??= await client()) })
    runConformance(makeStore, (seconds) => redis.passTime(seconds), { shared: true })
  })
})
