import { Pool, type PoolConfig } from 'pg'
import { guess } from '../../helpers/guessing.js'
import { runConformanceInRealTime, runConformance } from '../../helpers/run-conformance.js'
import { HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithPostgres, MOVED_CLOCK, PostgresServer } from '../../helpers/postgres-server.js'
import { FaultyProxy } from '../../helpers/faulty-proxy.js'
import { PostgresStore, type PostgresStoreOptions } from '../../../src/stores/postgres/postgres-store.js'
import type { Attempt, BucketRequest, OpenRequest, OtpStore } from '../../../src/stores/store.js'

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
const acts: [string, (store: OtpStore) => Promise<unknown>][] = [
  ['open', (store) => store.open(opening('ana', 'a'))],
  ['redeem', (store) => store.redeem(attempt('ana', 'a', 'x'))],
  ['spend', (store) => store.spend(one)],
]

describe('the options of a Postgres store', () => {
  const query = () => Promise.resolve({ rows: [] })
  test.each<[string, object, RegExp]>([
    ['no `query`', {}, /`PostgresStore.query` is missing.*pool\.query/],
    ['a connection string', { query: 'postgres://' }, /`PostgresStore.query`.*pool\.query/],
    ['a pool', { query, pool: {} }, /`PostgresStore.pool`/],
    ['an endless deadline', { query, deadline: Infinity }, /`PostgresStore.deadline` is Infinity/],
  ])('%s is an error that names the cure', (_name, options, message) => {
    expect(() => new PostgresStore(options as PostgresStoreOptions)).toThrow(message)
  })
})

test.each(acts)('an answer to %s of any other shape is an error', async (_act, run) => {
  const odd = [null, 'x', [], [9], [-1], [0.5], ['x'], [[0]], {}, '{0}', [0, 0]]
  for (const rows of [[], [null], [{}], [{ other: [0] }], ...odd.map((reply) => [{ reply }])]) {
    const store = new PostgresStore({ query: () => Promise.resolve({ rows }) })
    await expect(run(store)).rejects.toThrow('none that these scripts give')
  }
})

test.each(acts)('I6: %s is one statement', async (_act, run) => {
  const texts: string[] = []
  const query: PostgresStoreOptions['query'] = (text) => {
    texts.push(text)
    return Promise.reject(new Error('enough'))
  }
  await expect(run(new PostgresStore({ query }))).rejects.toThrow('enough')
  expect(texts).toHaveLength(1)
  expect(texts[0]).toMatch(/^SELECT otp_\w+\(\$1::text, [^;]*\) AS reply$/)
})

describeWithPostgres('on a real PostgreSQL', () => {
  let postgres: PostgresServer
  const pools: Pool[] = []
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    await postgres.ask(PostgresStore.schema)
  }, 60_000)
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.end()
  })
  afterAll(async () => {
    await postgres.stop()
  })

  const pool = (config: PoolConfig = {}): Pool => {
    const made = new Pool({ connectionString: postgres.url, max: 20, ...config })
    made.on('error', () => undefined)
    pools.push(made)
    return made
  }
  const storeOn = (over: Pool, deadline = 2): PostgresStore =>
    new PostgresStore({ query: (text, values) => over.query(text, values), deadline })
  const count = async (table: string): Promise<number> => {
    const [row] = (await postgres.ask(`SELECT count(*)::int AS count FROM ${table}`)) as [{ count: number }]
    return row.count
  }

  describe.each([
    ['on the clock of the server', {}],
    ['on one that is moved by days', { options: MOVED_CLOCK }],
  ])('the store conforms %s:', (name, config) => {
    let over: Pool
    beforeAll(async () => {
      await postgres.passTime(0)
      over = new Pool({ connectionString: postgres.url, max: 40, ...config })
    })
    afterAll(async () => {
      await over.end()
    })
    const makeStore = () => storeOn(over)
    if (name.includes('moved')) runConformance(makeStore, (seconds) => postgres.passTime(seconds), { shared: true })
    else runConformanceInRealTime(makeStore, { shared: true })
  })

  test('the schema can be run again, by ten processes at once, and what is there stays', async () => {
    const store = storeOn(pool())
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

  test('each schema that it is run in gets all of its own, whatever others of the search path hold', async () => {
    await postgres.ask('CREATE SCHEMA tenant')
    const tenant = pool({ options: '-c search_path=tenant,public' })
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
    expect(await storeOn(pool()).redeem(attempt('tenant', 'a', 'short a'))).toEqual({ outcome: 'not_found' })
    expect(await store.redeem(attempt('tenant', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
  })

  test('run beside traffic, as at the start of each process, the schema disturbs no act', async () => {
    const store = storeOn(pool())
    let isOver = false
    const traffic = Array.from({ length: 8 }, async (_, worker) => {
      for (let i = 0; !isOver; i++) await store.open(opening(`busy ${worker}-${i % 20}`, `${i}`))
    })
    for (let i = 0; i < 10; i++) await postgres.ask(PostgresStore.schema)
    isOver = true
    await Promise.all(traffic)
  })

  test('a role that may read and write the two tables, and nothing else, is enough for the acts', async () => {
    await postgres.ask(
      `CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON otp_challenges, otp_buckets TO app`,
    )
    const store = storeOn(pool({ connectionString: postgres.url.replace('postgres@', 'app@') }))
    // So many that some of them sweep.
    for (let i = 0; i < 500; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => store.open(opening(`app ${i + n}`, 'a'))))
    }
    expect(await store.redeem(attempt('app 1', 'a', 'wrong'))).toMatchObject({ attemptsLeft: 4 })
    expect(await store.redeem(attempt('app 1', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    expect(await store.spend({ ...one, user: 'app 1' })).toEqual({ outcome: 'spent' })
  })

  test('functions that somebody else puts beside ours, under names of ours or of Postgres, are never called', async () => {
    const over = pool()
    const store = storeOn(over)
    await store.open(opening('robbed', 'a'))
    const plant = async (name: string, args: string, returns: string, is: string): Promise<void> => {
      await postgres.ask(`CREATE FUNCTION ${name}(${args}) RETURNS ${returns} LANGUAGE sql AS $$ SELECT ${is} $$`)
    }
    const planted: [name: string, args: string, returns: string, is: string][] = [
      ['otp_redeem', 'text, text, text, text, text, text', 'integer[]', 'ARRAY[0]'],
      ['otp_redeem', 'text, text, text, text, bigint, bigint', 'integer[]', 'ARRAY[0]'],
      ['otp_redeem', 'text, text, text, text, integer, integer', 'integer[]', 'ARRAY[0]'],
      ['otp_wait', 'bigint, bigint, bigint, bigint', 'bigint', '0::bigint'],
      ['otp_is_void', 'bigint, boolean, bigint, bigint, bigint', 'boolean', 'false'],
      ['otp_seconds', 'integer', 'bigint', '0::bigint'],
      ['hashtextextended', 'text, integer', 'bigint', '1 / 0'],
      ['pg_advisory_xact_lock', 'numeric', 'integer', '1 / 0'],
      ['floor', 'integer', 'integer', '1 / 0'],
    ]
    for (const one of planted) await plant(...one)
    const operators: [operator: string, left: string, right: string][] = [
      ['*', 'numeric', 'integer'],
      ['*', 'double precision', 'integer'],
      ['/', 'bigint', 'numeric'],
      ['>', 'double precision', 'numeric'],
      ['=', 'text', 'varchar'],
    ]
    for (const [operator, left, right] of operators) {
      const types = `LEFTARG = ${left}, RIGHTARG = ${right}`
      await postgres.ask(
        `CREATE OR REPLACE FUNCTION spoil(${left}, ${right}) RETURNS integer LANGUAGE sql AS $$ SELECT 1 / 0 $$;
         CREATE OPERATOR ${operator} (FUNCTION = spoil, ${types})`,
      )
    }
    try {
      for (const left of [4, 3, 2]) {
        expect(await store.redeem(attempt('robbed', 'a', 'wrong'))).toMatchObject({ attemptsLeft: left })
      }
      const limit = { capacity: 1, refill: 60 }
      expect(await store.spend({ ...one, ...limit, user: 'robbed' })).toEqual({ outcome: 'spent' })
      expect(await store.spend({ ...one, ...limit, user: 'robbed' })).toEqual({ outcome: 'throttled', retryAfter: 60 })
      for (let i = 0; i < 100; i++) await store.open(opening(`robbed ${i}`, 'a'))
      expect(await store.redeem(attempt('robbed', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    } finally {
      for (const [operator, left, right] of operators)
        await postgres.ask(`DROP OPERATOR ${operator} (${left}, ${right})`)
      for (const [name, args] of planted) await postgres.ask(`DROP FUNCTION ${name}(${args})`)
    }
  })

  test('V2: where a guess cannot be written down, right and wrong codes fail alike and none is compared', async () => {
    const store = storeOn(pool())
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

  test('a lock that is never given up keeps no connection: after two seconds the pool is free again', async () => {
    const store = storeOn(pool({ max: 5 }))
    const blocker = await pool().connect()
    await blocker.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('stuck', 1))`)
    try {
      const acts = Array.from({ length: 5 }, () => store.redeem(attempt('stuck', 'a', 'x')))
      for (const act of await Promise.allSettled(acts)) {
        expect(act).toMatchObject({ status: 'rejected', reason: { code: '55P03' } })
      }
      expect(await store.redeem(attempt('not stuck', 'a', 'x'))).toEqual({ outcome: 'not_found' })
    } finally {
      await blocker.query('COMMIT')
      blocker.release()
    }
  })

  test('I2 and C9: the clock is that of the server, to which a challenge of 600 s ends at 600 s', async () => {
    await postgres.passTime(0)
    const store = storeOn(pool({ options: MOVED_CLOCK }))
    await store.open(opening('timely', 'a'))
    await store.open(opening('timely', 'b'))
    await postgres.passTime(599)
    expect(await store.redeem(attempt('timely', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
    await postgres.passTime(2)
    expect(await store.redeem(attempt('timely', 'b', 'short b'))).toEqual({ outcome: 'not_found' })
  })

  test('what has expired is removed by the acts of others, and nothing that is alive', async () => {
    await postgres.passTime(0)
    const store = storeOn(pool({ options: MOVED_CLOCK }))
    await postgres.ask('DELETE FROM otp_challenges; DELETE FROM otp_buckets')
    for (let i = 0; i < 50; i++) await store.open(opening(`gone ${i}`, 'a'))
    expect([await count('otp_challenges'), await count('otp_buckets')]).toEqual([50, 100])
    await postgres.passTime(650)
    const alive = { ...opening('alive', 'a'), sends: { capacity: 1, refill: 86_400 } }
    await store.open(alive)
    // About one act in a hundred sweeps.
    const other = { ...one, user: 'other', capacity: 1_000_000 }
    do await Promise.all(Array.from({ length: 50 }, () => store.spend(other)))
    while ((await count('otp_challenges')) > 1)
    expect(await count('otp_challenges')).toBe(1)
    expect(await count('otp_buckets')).toBe(3)
    expect(await store.open(alive)).toMatchObject({ outcome: 'throttled', bucket: 'sends' })
    expect(await store.redeem(attempt('alive', 'a', 'short a'))).toEqual({ outcome: 'redeemed' })
  })

  test('hammered by forty connections amid rows that expire, no act fails and none waits for ever', async () => {
    const store = storeOn(pool({ max: 40 }), 20)
    const quick = { capacity: 100, refill: 0.02 }
    const begin = (i: number): OpenRequest => ({ ...opening(`busy ${i % 20}`, `${i}`), sends: quick, resend: quick })
    const outcomes = await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => {
        if (i % 3 === 0) return store.open({ ...begin(i), lifetime: 0.01 })
        if (i % 3 === 1) return store.redeem({ ...attempt(`busy ${i % 20}`, `${i - 1}`, 'wrong'), failures: quick })
        return store.spend({ ...one, ...quick, user: `busy ${i % 20}` })
      }),
    )
    expect(outcomes).toHaveLength(3_000)
  }, 60_000)

  test.each(['repeatable read', 'serializable'])(
    'C8 and V2: under %s a stale picture is an error: one right code at most, five wrong ones at most',
    async (isolation) => {
      const store = storeOn(pool({ options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}` }))
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
      expect(new Set(right)).toEqual(new Set([...right].filter((one) => /^(redeemed|absent|40001)$/.test(one))))
      const wrong = await all('wrong', 'x')
      expect(wrong.filter((outcome) => outcome === 'mismatch').length).toBeLessThanOrEqual(5)
      expect(new Set(wrong)).toEqual(new Set([...wrong].filter((one) => /^(mismatch|exhausted|40001)$/.test(one))))
    },
  )

  test('C3 and I4: after a journey no row holds an address, an id or a code', async () => {
    await postgres.ask('DELETE FROM otp_challenges; DELETE FROM otp_buckets')
    const host = await HostApp.start({ otp: { store: storeOn(pool()) } })
    try {
      const { jar, code } = await host.asked({ id: 'the id of Ana', email: 'ana@example.com' })
      await guess(jar, wrongCode(code)).expect(422)
      const rows = await postgres.ask('SELECT user_key, id, kind, digest FROM otp_challenges')
      const buckets = await postgres.ask('SELECT user_key, bucket FROM otp_buckets')
      expect([rows.length, buckets.length]).toEqual([1, 3])
      expect(JSON.stringify([rows, buckets])).not.toMatch(/@|example|the id of Ana/)
      expect(JSON.stringify([rows, buckets])).not.toContain(code)
      await guess(jar, code).expect(200)
    } finally {
      await host.close()
    }
  })

  describe('in trouble: 503 and nothing opens, then all goes on without a restart of the host', () => {
    let proxy: FaultyProxy
    let host: HostApp
    beforeEach(async () => {
      proxy = await FaultyProxy.to(postgres.port)
      const over = pool({ connectionString: postgres.url.replace(/:\d+\//, `:${proxy.port}/`) })
      host = await HostApp.start({ otp: { store: storeOn(over, 20) } })
    })
    afterEach(async () => {
      await host.close()
      await proxy.close()
    })
    const expectDown = async (answer: PromiseLike<{ status: number; text: string }>): Promise<void> => {
      const { status, text } = await answer
      expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([503, 'store_unavailable'])
      expect(text).not.toMatch(/postgres|relation|ECONN|otp_/i)
    }
    const someone = () =>
      host.asked({ id: `someone ${Math.floor(performance.now() * 1000)}`, email: 'ana@example.com' })

    test('X3: killed and started again: what was counted is still counted', async () => {
      const { jar, code } = await someone()
      await guess(jar, wrongCode(code)).expect(422)
      await postgres.kill()
      await expectDown(guess(jar, code))
      await jar.get('/secret').expect(401)
      await postgres.restart()
      const next = await guess(jar, wrongCode(code)).expect(422)
      expect(next.body).toMatchObject({ attempts_left: 3 })
      await guess(jar, code).expect(200)
    })

    test('V4: a guess whose reply is lost on the way is counted, once', async () => {
      const { jar, code } = await someone()
      proxy.dropsReply = true
      await expectDown(guess(jar, wrongCode(code)))
      const next = await guess(jar, wrongCode(code)).expect(422)
      expect(next.body).toMatchObject({ attempts_left: 3 })
      await guess(jar, code).expect(200)
    })

    test('V4: an act that waits beyond the deadline is down, and counts when it comes to it', async () => {
      await host.close()
      host = await HostApp.start({ otp: { store: storeOn(pool(), 1) } })
      const { jar, code } = await someone()
      const blocker = await pool().connect()
      await blocker.query('BEGIN; LOCK TABLE otp_challenges')
      await expectDown(guess(jar, wrongCode(code)))
      await blocker.query('COMMIT')
      blocker.release()
      const next = await guess(jar, wrongCode(code)).expect(422)
      expect(next.body).toMatchObject({ attempts_left: 3 })
    })

    test('tables that are gone, and made again by the schema', async () => {
      const { jar, code } = await someone()
      await postgres.ask('DROP TABLE otp_buckets')
      await expectDown(guess(jar, code))
      await expectDown(jar.post('/2fa/send').send({}))
      await postgres.ask(PostgresStore.schema)
      await guess(jar, code).expect(200)
    })

    test('a database that takes no writes lets nobody in and counts nothing', async () => {
      const [open, shut] = [pool(), pool({ options: '-c default_transaction_read_only=on' })]
      let current = open
      await host.close()
      const store = new PostgresStore({ query: (text, values) => current.query(text, values) })
      host = await HostApp.start({ otp: { store } })
      const { jar, code } = await someone()
      current = shut
      await expectDown(guess(jar, code))
      await expectDown(guess(jar, wrongCode(code)))
      current = open
      const next = await guess(jar, wrongCode(code)).expect(422)
      expect(next.body).toMatchObject({ attempts_left: 4 })
      await guess(jar, code).expect(200)
    })
  })
})
