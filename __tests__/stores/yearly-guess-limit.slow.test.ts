import { Pool } from 'pg'
import { createClient } from 'redis'
import { describeWithPostgres, MOVED_CLOCK, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { ATTACKERS, attackForAYear, type TimedStore } from '../helpers/yearly-guesses.js'
import { PostgresStore } from '../../src/stores/postgres/postgres-store.js'
import { RedisStore } from '../../src/stores/redis/redis-store.js'

function testEachAttacker(server: string, timed: () => TimedStore): void {
  test.each(ATTACKERS)(
    `V6: in a year an attacker %s gets at most 83 short codes compared on ${server}, and the owner verifies every day`,
    async (attacker, guessesOnDay) => {
      const { compared, verified } = await attackForAYear(timed(), attacker, guessesOnDay)
      expect(compared).toBeLessThanOrEqual(83)
      expect(compared).toBeGreaterThanOrEqual(70) // it was an attack
      expect(verified).toBe(365)
    },
  )
}

describeWithRedis('in Redis', () => {
  let redis: RedisServer
  let timed: TimedStore
  const open: { destroy: () => void }[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
    const client = createClient({ url: redis.url })
    await client.connect()
    open.push(client)
    const store = new RedisStore({ send: (...args) => client.sendCommand(args) })
    timed = { store, passTime: (seconds) => redis.passTime(seconds) }
  })
  afterAll(async () => {
    for (const client of open) client.destroy()
    await redis.stop()
  })
  testEachAttacker('Redis', () => timed)
})

describeWithPostgres('in PostgreSQL', () => {
  let postgres: PostgresServer
  let pool: Pool
  let timed: TimedStore
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    await postgres.ask(PostgresStore.schema)
    await postgres.passTime(0)
    pool = new Pool({ connectionString: postgres.url, options: MOVED_CLOCK })
    pool.on('error', () => undefined) // the server may end before the last idle connection does
    const store = new PostgresStore({ query: (text, values) => pool.query(text, values) })
    timed = { store, passTime: (seconds) => postgres.passTime(seconds) }
  }, 60_000)
  afterAll(async () => {
    await pool.end()
    await postgres.stop()
  })
  testEachAttacker('PostgreSQL', () => timed)
})
