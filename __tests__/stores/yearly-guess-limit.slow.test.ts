import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { Clock } from '../helpers/host-app.js'
import { describeWithPostgres, MOVED_CLOCK, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import { PostgresStore } from '../../src/stores/postgres/postgres-store.js'
import { RedisStore } from '../../src/stores/redis/redis-store.js'
import type { OpenRequest, OtpStore } from '../../src/stores/store.js'

/** A store and its clock. */
interface Timed {
  readonly store: OtpStore
  readonly pass: (seconds: number) => Promise<void>
}

const DAY = 86_400
const STEPS = 4 // a day
const failures = { capacity: 10, refill: 5 * DAY }

const opening = (user: string, id: string): OpenRequest => ({
  user,
  existing: null,
  fresh: { id, short: `short code of ${id}`, long: `long code of ${id}` },
  lifetime: 600,
  attempts: 5,
  sends: { capacity: 1000, refill: 1 }, // the question is what guesses can do, however many mails there are
  resend: { capacity: 1, refill: 30 },
  failures,
})

/** Guesses at codes of a user, short and long, until so many short ones were compared; how many that were. */
async function hammer(store: OtpStore, user: string, id: string, most: number): Promise<number> {
  let compared = 0
  for (let code = 0; code < 2 && compared < most; code++) {
    const challenge = `${id} ${code}`
    await store.open(opening(user, challenge))
    const attempt = { user, id: challenge, digest: 'wrong', failures }
    const kinds = Array.from({ length: Math.min(6, most - compared) }, () => ['short', 'long'] as const).flat()
    const outcomes = await Promise.all(
      // Whatever the outcomes say, the attacker tries both kinds.
      kinds.map(async (kind) => ({ kind, ...(await store.redeem({ ...attempt, kind })) })),
    )
    compared += outcomes.filter(({ kind, outcome }) => kind === 'short' && outcome === 'mismatch').length
  }
  return compared
}

/** The owner asks for a code of the kind that is due, and types it. */
async function letIn(store: OtpStore, user: string, id: string): Promise<boolean> {
  const opened = await store.open(opening(user, id))
  if (opened.outcome !== 'opened') return false
  const digest = `${opened.kind} code of ${id}`
  return (await store.redeem({ user, id, kind: opened.kind, digest, failures })).outcome === 'redeemed'
}

const ATTACKERS: [string, (day: number) => number][] = [
  ['who never rests', () => Infinity],
  ['who comes once every five days', (day) => (day % 5 ? 0 : Infinity)],
  ['who guesses once in five days, so that codes stay short', (day) => (day === 0 ? 9 : day % 5 ? 0 : 1)],
  ['who burns all and then waits', (day) => (day % 25 ? 0 : Infinity)],
  ['who guesses twice a day', () => 2],
]

const worst: Record<string, number> = {}

function survivesAYear(name: string, timed: () => Timed): void {
  test.each(ATTACKERS)(
    `V6: a year of hammering by one %s compares at most 83 short codes, and the owner gets in every day (${name})`,
    async (attacker, guessesOf) => {
      const { store, pass } = timed()
      let compared = 0
      let ownerIn = 0
      for (let day = 0; day < 365; day++) {
        let left = guessesOf(day)
        for (let step = 0; step < STEPS; step++) {
          const looked = left > 0 ? await hammer(store, attacker, `attack ${day} ${step}`, left) : 0
          compared += looked
          left -= looked
          if (step === day % STEPS && (await letIn(store, attacker, `owner ${day}`))) ownerIn += 1
          await pass(DAY / STEPS)
        }
      }
      expect(compared).toBeLessThanOrEqual(83)
      expect(compared).toBeGreaterThanOrEqual(70) // it was an attack
      expect(ownerIn).toBe(365)
      worst[name] = Math.max(worst[name] ?? 0, compared)
    },
    120_000,
  )
}

describe('in the memory store', () => {
  let timed: Timed
  beforeEach(() => {
    const clock = new Clock()
    const pass = (seconds: number) => {
      clock.tick(seconds)
      return Promise.resolve()
    }
    timed = { store: new MemoryStore({ now: clock.now }), pass }
  })
  afterEach(() => timed.store.close?.())
  survivesAYear('memory', () => timed)
})

describeWithRedis('in Redis', () => {
  let redis: RedisServer
  let timed: Timed
  const open: { destroy: () => void }[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
    const client = createClient({ url: redis.url })
    await client.connect()
    open.push(client)
    const store = new RedisStore({ send: (...args) => client.sendCommand(args) })
    timed = { store, pass: (seconds) => redis.passTime(seconds) }
  })
  afterAll(async () => {
    for (const client of open) client.destroy()
    await redis.stop()
  })
  survivesAYear('Redis', () => timed)
})

describeWithPostgres('in PostgreSQL', () => {
  let postgres: PostgresServer
  let pool: Pool
  let timed: Timed
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    await postgres.ask(PostgresStore.schema)
    await postgres.passTime(0)
    pool = new Pool({ connectionString: postgres.url, options: MOVED_CLOCK })
    pool.on('error', () => undefined) // the server may end before the last idle connection does
    const store = new PostgresStore({ query: (text, values) => pool.query(text, values) })
    timed = { store, pass: (seconds) => postgres.passTime(seconds) }
  }, 60_000)
  afterAll(async () => {
    await pool.end()
    await postgres.stop()
  })
  survivesAYear('PostgreSQL', () => timed)
})

afterAll(() => {
  const figures = Object.entries(worst).map(([store, compared]) => `${compared} in ${store}`)
  console.log(`The worst year of hammering one user compared so many short codes: ${figures.join(', ')}.`)
})

test('V6: the README promises what the buckets hold: ten at first and one in five days', () => {
  const readme = readFileSync(path.join(__dirname, '../README.md'), 'utf8')
  const promised = failures.capacity + Math.floor((365 * DAY) / failures.refill)
  expect(readme).toContain(`compares at most ${promised} short codes`)
})
