import { Pool } from 'pg'
import { describeWithPostgres, PostgresServer } from '../../helpers/postgres-server.js'
import { runConformanceInRealTime } from '../../helpers/run-conformance.js'
import { attempt, opening, spending } from '../../helpers/store-requests.js'
import { PostgresStore } from '../../../src/stores/postgres/postgres-store.js'
import type { OpenRequest } from '../../../src/stores/store.js'

describeWithPostgres('on a real PostgreSQL', () => {
  let postgres: PostgresServer
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    await postgres.ask(PostgresStore.schema)
  }, 60_000)
  afterEach(() => postgres.closePools())
  afterAll(() => postgres.stop())

  const storeOn = (pool: Pool, deadline = 2): PostgresStore =>
    new PostgresStore({ query: (text, values) => pool.query(text, values), deadline })

  describe('the store conforms on the clock of the server:', () => {
    let pool: Pool
    beforeAll(() => {
      pool = new Pool({ connectionString: postgres.url, max: 40 })
    })
    afterAll(() => pool.end())
    runConformanceInRealTime(() => storeOn(pool), { shared: true })
  })

  test('running the schema beside traffic, as processes do at start, fails no operation', async () => {
    const store = storeOn(postgres.pool())
    let isOver = false
    const traffic = Array.from({ length: 8 }, async (_, worker) => {
      for (let i = 0; !isOver; i++) await store.open(opening(`busy ${worker}-${i % 20}`, `${i}`))
    })
    for (let i = 0; i < 10; i++) await postgres.ask(PostgresStore.schema)
    isOver = true
    await Promise.all(traffic)
  })

  test('an operation that waits for a lock frees its connection after two seconds', async () => {
    const store = storeOn(postgres.pool({ max: 5 }))
    const blocker = await postgres.pool().connect()
    await blocker.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('stuck', 1))`)
    try {
      const operations = Array.from({ length: 5 }, () => store.redeem(attempt('stuck', 'a', 'x')))
      for (const result of await Promise.allSettled(operations)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: '55P03' } })
      }
      expect(await store.redeem(attempt('not stuck', 'a', 'x'))).toEqual({ outcome: 'not_found' })
    } finally {
      await blocker.query('COMMIT')
      blocker.release()
    }
  })

  test('no operation of forty connections fails or hangs while rows expire', async () => {
    const store = storeOn(postgres.pool({ max: 40 }), 20)
    const quick = { capacity: 100, refill: 0.02 }
    const extras = ['a', 'b', 'c'].map((bucket) => ({ bucket, ...quick }))
    const openingOf = (i: number): OpenRequest => ({
      ...opening(`busy ${i % 20}`, `${i}`),
      sends: quick,
      resend: quick,
      extraBuckets: i % 2 === 0 ? extras : [...extras].reverse(),
    })
    const outcomes = await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => {
        if (i % 3 === 0) return store.open({ ...openingOf(i), lifetime: 0.01 })
        if (i % 3 === 1) return store.redeem({ ...attempt(`busy ${i % 20}`, `${i - 1}`, 'wrong'), failures: quick })
        return store.spend({ ...spending, ...quick, user: `busy ${i % 20}` })
      }),
    )
    expect(outcomes).toHaveLength(3_000)
  }, 60_000)
})
