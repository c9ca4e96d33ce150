import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { runConformance } from '../../helpers/run-conformance.js'
import { describeWithRedis, RedisCluster, type RedisServer } from '../../helpers/redis-server.js'
import { FaultyProxy } from '../../helpers/faulty-proxy.js'
import { RedisStore, type RedisStoreOptions } from '../../../src/stores/redis/redis-store.js'

type Send = RedisStoreOptions['send']

const LIMIT = { capacity: 100, refill: 60 }

describeWithRedis('on a Redis Cluster of three nodes', () => {
  let nodes: RedisCluster
  const closing: (() => unknown)[] = []
  beforeAll(async () => {
    nodes = await RedisCluster.start()
  }, 60_000)
  afterAll(async () => {
    for (const close of closing) await close()
    await nodes.stop()
  })

  const nodeRedis = async (): Promise<Send> => {
    const cluster = createCluster({ rootNodes: nodes.nodes.map(({ url }) => ({ url })) })
    cluster.on('error', () => undefined)
    await cluster.connect()
    closing.push(() => {
      cluster.destroy()
    })
    return (...args) => cluster.sendCommand(args[3], false, args)
  }
  const ioredis = (): Send => {
    const cluster = new Cluster(nodes.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    closing.push(() => {
      cluster.disconnect()
    })
    return (command = '', ...args) => cluster.call(command, ...args)
  }

  /** Addresses of the proxies by those of the nodes. */
  const through = (proxies: readonly FaultyProxy[]) =>
    Object.fromEntries(
      nodes.nodes.map(({ port }, i) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxies[i]?.port ?? 0 }]),
    )
  const nodeRedisOver = async (proxies: readonly FaultyProxy[]): Promise<Send> => {
    const rootNodes = proxies.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` }))
    const cluster = createCluster({ rootNodes, nodeAddressMap: through(proxies) })
    cluster.on('error', () => undefined)
    await cluster.connect()
    closing.push(() => {
      cluster.destroy()
    })
    return (...args) => cluster.sendCommand(args[3], false, args)
  }
  const ioredisOver = async (proxies: readonly FaultyProxy[]): Promise<Send> => {
    const cluster = new Cluster(Object.values(through(proxies)), {
      natMap: through(proxies),
      enableOfflineQueue: false,
      retryDelayOnFailover: 0,
      redisOptions: { autoResendUnfulfilledCommands: false },
    })
    cluster.on('error', () => undefined)
    await new Promise((resolve) => cluster.once('ready', resolve))
    closing.push(() => {
      cluster.disconnect()
    })
    return (command = '', ...args) => cluster.call(command, ...args)
  }

  describe.each<[string, () => Send | Promise<Send>]>([
    ['node-redis', nodeRedis],
    ['ioredis', ioredis],
  ])('the store conforms through %s:', (_name, client) => {
    let send: Send | null = null
    const makeStore = async () => new RedisStore({ send: (send ??= await client()) })
    runConformance(makeStore, (seconds) => nodes.passTime(seconds), { shared: true })
  })

  test('I1: all keys of one user are in one slot, and users on every node', async () => {
    const send = await nodeRedis()
    for (let i = 0; i < 30; i++) {
      const user = `user-${i}`
      const touched = new Set<string>()
      const store = new RedisStore({
        send: (...args) => {
          for (const key of args.slice(3, 3 + Number(args[2]))) touched.add(key)
          return send(...args)
        },
      })
      const fresh = { id: 'a', short: 'short', long: 'long' }
      const limits = { sends: { bucket: 'sends:address', ...LIMIT }, resend: LIMIT, failures: LIMIT }
      const extraBuckets = ['a', 'b', 'c'].map((bucket) => ({ bucket, ...LIMIT, onlyIfFresh: true }))
      await store.open({ user, existing: null, fresh, lifetime: 60, attempts: 5, ...limits, extraBuckets })
      await store.redeem({ user, id: 'a', kind: 'short', digest: 'wrong', failures: LIMIT })
      await store.spend({ user, bucket: 'mails', ...LIMIT })
      expect(touched.size).toBe(8)
      const [node] = nodes.nodes as [RedisServer]
      const slots = [...touched].map((key) => node.ask('CLUSTER', 'KEYSLOT', key))
      expect(new Set(await Promise.all(slots)).size).toBe(1)
    }
    for (const node of nodes.nodes) expect(Number(await node.ask('DBSIZE'))).toBeGreaterThan(0)
  })

  test.each([
    ['node-redis', nodeRedisOver],
    ['ioredis as the README sets it', ioredisOver],
  ])('V4: an operation whose reply is lost runs once: %s', async (_name, over) => {
    const proxies = await Promise.all(nodes.nodes.map(({ port }) => FaultyProxy.to(port)))
    const send = await over(proxies)
    const store = new RedisStore({ send })
    const loseReply = async (operation: () => Promise<unknown>): Promise<void> => {
      for (const proxy of proxies) proxy.dropsReply = true
      await expect(operation()).rejects.toThrow()
      for (const proxy of proxies) proxy.dropsReply = false
      // Until the client has reconnected.
      for (let isUp = false; !isUp;)
        isUp = await store.spend({ user: 'cut', bucket: 'up', ...LIMIT }).then(
          () => true,
          () => false,
        )
    }
    try {
      const limits = { sends: LIMIT, resend: LIMIT, failures: LIMIT }
      const fresh = { id: 'a', short: 'short', long: 'long' }
      await store.open({ user: 'cut', existing: null, fresh, lifetime: 60, attempts: 5, ...limits })
      const redeem = (digest: string) => store.redeem({ user: 'cut', id: 'a', kind: 'short', digest, failures: LIMIT })
      expect(await redeem('wrong')).toMatchObject({ attemptsLeft: 4 })
      await loseReply(() => redeem('wrong'))
      expect(await redeem('wrong')).toMatchObject({ attemptsLeft: 2 })
      await loseReply(() => redeem('short'))
      expect(await redeem('short')).toEqual({ outcome: 'not_found' })
      const two = { user: 'cut', bucket: 'two', capacity: 2, refill: 600 }
      for (let i = 0; i < 2; i++) await store.spend(two)
      await loseReply(() => store.spend({ ...two, permits: -1 }))
      expect([await store.spend(two), await store.spend(two)]).toMatchObject([
        { outcome: 'spent' },
        { outcome: 'throttled' },
      ])
    } finally {
      for (const proxy of proxies) await proxy.close()
    }
  })

  test('scripts that a node forgot are sent again', async () => {
    const store = new RedisStore({ send: await nodeRedis() })
    for (const node of nodes.nodes) await node.ask('SCRIPT', 'FLUSH')
    const users = Array.from({ length: 20 }, (_, i) => `forgotten-${i}`)
    const spent = await Promise.all(users.map((user) => store.spend({ user, bucket: 'mails', ...LIMIT })))
    expect(spent).toEqual(users.map(() => ({ outcome: 'spent' })))
  })
})
