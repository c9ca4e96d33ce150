import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { RedisStore } from '../../src/stores/redis/redis-store.js'

const COUNT = 100_000
const MEASURES = path.join(__dirname, '../../bench/bytes.mjs')

test('100 000 live challenges take at most 350 bytes each in memory, and 500 with all their buckets', async () => {
  const measure = async (what: string): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', MEASURES, what])
    return Number(stdout)
  }
  const figures = { alone: await measure('alone'), opened: await measure('opened'), settled: await measure('settled') }
  console.log(`Bytes in memory per challenge: ${JSON.stringify(figures)}`)
  expect(figures.alone).toBeLessThanOrEqual(350)
  expect(figures.opened).toBeLessThanOrEqual(500)
  expect(figures.settled).toBeLessThanOrEqual(400)
}, 120_000)

describeWithRedis('in Redis', () => {
  test('100 000 live challenges take at most 300 bytes each', async () => {
    const redis = await RedisServer.start()
    const client = createClient({ url: redis.url })
    await client.connect()
    const text = (length: number) => randomBytes(length).toString('base64url').slice(0, length)
    const store = new RedisStore({ send: (...args) => client.sendCommand(args) })
    const open = () =>
      store.open({
        user: text(27),
        existing: null,
        fresh: { id: text(22), short: text(43), long: text(43) },
        lifetime: 600,
        attempts: 5,
        sends: { capacity: 5, refill: 5_760 },
        resend: { capacity: 1, refill: 600 }, // so that none runs out before all are counted
        failures: { capacity: 10, refill: 432_000 },
      })
    for (let i = 0; i < COUNT; i += 500) await Promise.all(Array.from({ length: 500 }, open))
    const keys = ((await redis.ask('KEYS', '*:challenge:*')) as string[]).slice(0, 1_000)
    const sizes = await Promise.all(keys.map((key) => client.sendCommand(['MEMORY', 'USAGE', key])))
    const most = Math.max(...sizes.map(Number))
    console.log(`Bytes in Redis per challenge: ${most}`)
    expect(await client.sendCommand(['DBSIZE'])).toBe(3 * COUNT)
    expect(most).toBeLessThanOrEqual(300)
    client.destroy()
    await redis.stop()
  }, 120_000)
})
