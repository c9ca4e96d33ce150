import { Pool } from 'pg'
import { guess } from '../../helpers/guessing.js'
import { HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithPostgres, MOVED_CLOCK, PostgresServer } from '../../helpers/postgres-server.js'
import { runConformance } from '../../helpers/run-conformance.js'
import { attempt, opening, operations, spending } from '../../helpers/store-requests.js'
import { PostgresStore, type PostgresStoreOptions } from '../../../src/stores/postgres/postgres-store.js'

/** The functions of version 2. If one has to change, all get the names of the next version. */
const SIGNATURES = [
  'otp_lock_user_v2(in_user text)',
  'otp_ms_until_permit_v2(in_full bigint, in_now bigint, in_capacity integer, in_refill bigint)',
  'otp_open_v2(in_user text, in_existing text, in_existing_short text, in_existing_long text, in_fresh text, ' +
    'in_fresh_short text, in_fresh_long text, in_lifetime bigint, in_attempts integer, in_failures integer, ' +
    'in_failures_refill bigint, in_buckets text[], in_capacities integer[], in_refills bigint[], in_only_if_fresh boolean[])',
  'otp_read_bucket_v2(in_user text, in_bucket text, in_now bigint, OUT full_at bigint, OUT was_empty boolean)',
  'otp_redeem_v2(in_user text, in_id text, in_kind text, in_digest text, in_capacity integer, in_refill bigint)',
  'otp_refund_v2(in_user text, in_bucket text, in_permits integer, in_now bigint, in_refill bigint)',
  'otp_seconds_v2(in_ms bigint)',
  'otp_short_codes_disabled_v2(in_full bigint, in_was_empty boolean, in_now bigint, in_capacity integer, in_refill bigint)',
  'otp_spend_v2(in_user text, in_bucket text, in_permits integer, in_capacity integer, in_refill bigint)',
  'otp_sweep_v2(in_now bigint)',
  'otp_write_bucket_v2(in_user text, in_bucket text, in_full bigint, in_was_empty boolean)',
]

describe('the options of a Postgres store', () => {
  const query = () => Promise.resolve({ rows: [] })
  test.each<[string, object, RegExp]>([
    ['no `query`', {}, /^PostgresStore: (unknown )?option `query` is missing.*pool\.query/],
    ['a connection string', { query: 'postgres://' }, /^PostgresStore: (unknown )?option `query`.*pool\.query/],
    ['a pool', { query, pool: {} }, /^PostgresStore: (unknown )?option `pool`/],
    ['an endless deadline', { query, deadline: Infinity }, /^PostgresStore: (unknown )?option `deadline` is Infinity/],
  ])('%s is an error that says what to write', (_name, options, message) => {
    expect(() => new PostgresStore(options as PostgresStoreOptions)).toThrow(message)
  })
})

test.each(operations)('an unexpected reply to %s is an error', async (_name, run) => {
  const unexpected = [null, 'x', [], [9], [-1], [0.5], ['x'], [[0]], {}, '{0}', [0, 0]]
  for (const rows of [[], [null], [{}], [{ other: [0] }], ...unexpected.map((reply) => [{ reply }])]) {
    const store = new PostgresStore({ query: () => Promise.resolve({ rows }) })
    await expect(run(store)).rejects.toThrow('unexpected reply')
  }
})

test.each(operations)('I6: %s is one statement', async (_name, run) => {
  const texts: string[] = []
  const query: PostgresStoreOptions['query'] = (text) => {
    texts.push(text)
    return Promise.reject(new Error('enough'))
  }
  await expect(run(new PostgresStore({ query }))).rejects.toThrow('enough')
  expect(texts).toHaveLength(1)
  expect(texts[0]).toMatch(/^SELECT otp_\w+\(\$1, [^;]*\) AS reply$/)
})

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
  const count = async (table: string): Promise<number> => {
    const [row] = (await postgres.ask(`SELECT count(*)::int AS count FROM ${table}`)) as [{ count: number }]
    return row.count
  }

  describe('the store conforms on a clock that is moved:', () => {
    let pool: Pool
    beforeAll(async () => {
      await postgres.passTime(0)
      pool = new Pool({ connectionString: postgres.url, max: 40, options: MOVED_CLOCK })
    })
    afterAll(() => pool.end())
    runConformance(
      () => storeOn(pool),
      (seconds) => postgres.passTime(seconds),
      { shared: true },
    )
  })

  test('the schema can be run again, by ten processes at once, and keeps the data', async () => {
    const store = storeOn(postgres.pool())
    await store.open(opening('stays', 'a'))
    await store.redeem(attempt('stays', 'a', 'wrong'))
    await Promise.all(Array.from({ length: 10 }, () => postgres.ask(PostgresStore.schema)))
    expect(await store.redeem(attempt('stays', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 3 })
    await postgres.ask('CREATE DATABASE fresh')
    const fresh = Array.from(
      { length: 10 },
      () => new Pool({ connectionString: postgres.url.replace(/\w+$/, 'fresh') }),
    )
    await Promise.all(fresh.map((one) => one.query(PostgresStore.schema)))
    for (const one of fresh) await one.end()
  })

  test('the schema runs over functions of an earlier version, and processes of both versions count together', async () => {
    await postgres.ask('CREATE SCHEMA upgraded')
    const pool = postgres.pool({ options: '-c search_path=upgraded' })
    // Functions without a version, with parameters of other names, as those of the first versions had.
    await pool.query(PostgresStore.schema.replaceAll('_v2(', '(').replace(/\bin_(\w+)/g, 'old_$1'))
    const earlier = new PostgresStore({ query: (text, values) => pool.query(text.replace('_v2(', '('), values) })
    await earlier.open(opening('ana', 'a'))
    await pool.query(PostgresStore.schema)
    expect(await earlier.redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    expect(await storeOn(pool).redeem(attempt('ana', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 3 })
    expect(await earlier.redeem(attempt('ana', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    expect(await storeOn(pool).redeem(attempt('ana', 'a', 'short a'))).toEqual({ outcome: 'not_found' })
  })

  // Processes of this version call these functions after the schema of a later one was run.
  test('no function has other parameters than those of its version', async () => {
    const functions = (await postgres.ask(`
      SELECT proname || '(' || pg_get_function_arguments(oid) || ')' AS signature FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'otp%' ORDER BY 1
    `)) as { signature: string }[]
    expect(functions.map(({ signature }) => signature)).toEqual(SIGNATURES)
  })

  test('each database schema gets tables and indexes of its own, whatever others of the search path contain', async () => {
    await postgres.ask('CREATE SCHEMA tenant')
    const tenant = postgres.pool({ options: '-c search_path=tenant,public' })
    for (let times = 0; times < 2; times++) await tenant.query(PostgresStore.schema)
    const { rows } = await tenant.query(
      'SELECT indexname FROM pg_indexes WHERE schemaname = \'tenant\' ORDER BY indexname COLLATE "C"',
    )
    expect(rows.map(({ indexname }: { indexname: string }) => indexname)).toEqual([
      'otp_buckets_full_at',
      'otp_buckets_pkey',
      'otp_challenges_expires',
      'otp_challenges_pkey',
    ])
    const store = storeOn(tenant)
    await store.open(opening('tenant', 'a'))
    expect(await storeOn(postgres.pool()).redeem(attempt('tenant', 'a', 'short a'))).toEqual({ outcome: 'not_found' })
    expect(await store.redeem(attempt('tenant', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
  })

  test('a role that may only read and write the two tables is enough for the operations', async () => {
    await postgres.ask(
      `CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON otp_challenges, otp_buckets TO app`,
    )
    const store = storeOn(postgres.pool({ connectionString: postgres.url.replace('postgres@', 'app@') }))
    // So many that some of them sweep.
    for (let i = 0; i < 500; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => store.open(opening(`app ${i + n}`, 'a'))))
    }
    expect(await store.redeem(attempt('app 1', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    expect(await store.redeem(attempt('app 1', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    expect(await store.spend({ ...spending, user: 'app 1' })).toEqual({ outcome: 'spent' })
  })

  test('V2: if a guess cannot be written, right and wrong codes fail in the same way and none is compared', async () => {
    const store = storeOn(postgres.pool())
    await store.open(opening('full disk', 'a'))
    for (const table of ['otp_challenges', 'otp_buckets']) {
      await postgres.ask(`
        CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION no_room()`)
      for (let i = 0; i < 6; i++)
        for (const digest of ['wrong', 'short a']) {
          await expect(store.redeem(attempt('full disk', 'a', digest))).rejects.toThrow('could not extend file')
        }
      await postgres.ask(`DROP TRIGGER no_room ON ${table}`)
    }
    expect(await store.redeem(attempt('full disk', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    expect(await store.redeem(attempt('full disk', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
  })

  test('I2 and C9: a challenge of 600 s expires at 600 s by the clock of the server', async () => {
    await postgres.passTime(0)
    const store = storeOn(postgres.pool({ options: MOVED_CLOCK }))
    await store.open(opening('timely', 'a'))
    await store.open(opening('timely', 'b'))
    await postgres.passTime(599)
    expect(await store.redeem(attempt('timely', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    await postgres.passTime(2)
    expect(await store.redeem(attempt('timely', 'b', 'short b'))).toEqual({ outcome: 'not_found' })
  })

  test('operations of other users delete expired rows, and no live ones', async () => {
    await postgres.passTime(0)
    const store = storeOn(postgres.pool({ options: MOVED_CLOCK }))
    await postgres.ask('DELETE FROM otp_challenges; DELETE FROM otp_buckets')
    for (let i = 0; i < 50; i++) await store.open(opening(`gone ${i}`, 'a'))
    expect([await count('otp_challenges'), await count('otp_buckets')]).toEqual([50, 100])
    await postgres.passTime(650)
    const alive = { ...opening('alive', 'a'), sends: { capacity: 1, refill: 86_400 } }
    await store.open(alive)
    // About one operation in a hundred sweeps.
    const other = { ...spending, user: 'other', capacity: 1_000_000 }
    do await Promise.all(Array.from({ length: 50 }, () => store.spend(other)))
    while ((await count('otp_challenges')) > 1)
    expect(await count('otp_challenges')).toBe(1)
    expect(await count('otp_buckets')).toBe(3)
    expect(await store.open(alive)).toMatchObject({ outcome: 'throttled', bucket: 'sends' })
    expect(await store.redeem(attempt('alive', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
  })

  test.each(['repeatable read', 'serializable'])(
    'C8 and V2: under %s a stale snapshot is an error: at most one right code and five wrong ones are accepted',
    async (isolation) => {
      const store = storeOn(
        postgres.pool({ options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}` }),
      )
      const user = `strict ${isolation}`
      await store.open(opening(user, 'right'))
      await store.open(opening(user, 'wrong'))
      const all = (id: string, digest: string) =>
        Promise.all(
          Array.from({ length: 100 }, () =>
            store.redeem(attempt(user, id, digest)).then(
              ({ outcome }) => outcome,
              (error: unknown) => (error as { code: string }).code,
            ),
          ),
        )
      const right = await all('right', 'short right')
      expect(right.filter((outcome) => outcome === 'redeemed')).toHaveLength(1)
      expect(new Set(right)).toEqual(new Set([...right].filter((one) => /^(redeemed|not_found|40001)$/.test(one))))
      const wrong = await all('wrong', 'x')
      expect(wrong.filter((outcome) => outcome === 'mismatch').length).toBeLessThanOrEqual(5)
      expect(new Set(wrong)).toEqual(new Set([...wrong].filter((one) => /^(mismatch|exhausted|40001)$/.test(one))))
    },
  )

  test('C3 and I4: after a verification no row contains an address, an id or a code', async () => {
    await postgres.ask('DELETE FROM otp_challenges; DELETE FROM otp_buckets')
    const host = await HostApp.start({ otp: { store: storeOn(postgres.pool()) } })
    try {
      const { jar, code } = await host.asked({ id: 'the id of Ana', email: 'ana@example.com' })
      await guess(jar, wrongCode(code)).expect(422)
      const rows = await postgres.ask('SELECT user_key, id, kind, digest FROM otp_challenges')
      const buckets = await postgres.ask('SELECT user_key, bucket FROM otp_buckets')
      expect([rows.length, buckets.length]).toEqual([1, 4])
      expect(JSON.stringify([rows, buckets])).not.toMatch(/@|example|the id of Ana/)
      expect(JSON.stringify([rows, buckets])).not.toContain(code)
      await guess(jar, code).expect(200)
    } finally {
      await host.close()
    }
  })
})
