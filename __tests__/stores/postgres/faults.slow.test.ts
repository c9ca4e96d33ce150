import { Pool } from 'pg'
import { FaultyProxy } from '../../helpers/faulty-proxy.js'
import { guess } from '../../helpers/guessing.js'
import { HostApp } from '../../helpers/host-app.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { describeWithPostgres, PostgresServer } from '../../helpers/postgres-server.js'
import { PostgresStore } from '../../../src/stores/postgres/postgres-store.js'

const storeOn = (pool: Pool, deadline: number): PostgresStore =>
  new PostgresStore({ query: (text, values) => pool.query(text, values), deadline })

describeWithPostgres('a PostgreSQL that fails: 503 and nothing opens, then all works again without a restart', () => {
  let postgres: PostgresServer
  beforeAll(async () => {
    postgres = await PostgresServer.start()
    await postgres.ask(PostgresStore.schema)
  }, 60_000)
  afterAll(() => postgres.stop())

  let proxy: FaultyProxy
  let host: HostApp
  beforeEach(async () => {
    proxy = await FaultyProxy.to(postgres.port)
    const pool = postgres.pool({ connectionString: postgres.url.replace(/:\d+\//, `:${proxy.port}/`) })
    host = await HostApp.start({ otp: { store: storeOn(pool, 20) } })
  })
  afterEach(async () => {
    await host.close()
    await postgres.closePools()
    await proxy.close()
  })
  const expectDown = async (answer: PromiseLike<{ status: number; text: string }>): Promise<void> => {
    const { status, text } = await answer
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([503, 'store_unavailable'])
    expect(text).not.toMatch(/postgres|relation|ECONN|otp_/i)
  }
  const someone = () => host.asked({ id: `someone ${Math.floor(performance.now() * 1000)}`, email: 'ana@example.com' })

  test('X3: a restart after a kill keeps what was counted', async () => {
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

  test('V4: a guess whose reply is lost is counted once', async () => {
    const { jar, code } = await someone()
    proxy.dropsReply = true
    await expectDown(guess(jar, wrongCode(code)))
    const next = await guess(jar, wrongCode(code)).expect(422)
    expect(next.body).toMatchObject({ attempts_left: 3 })
    await guess(jar, code).expect(200)
  })

  test('V4: a guess that waits beyond the deadline ends as 503, and counts when it runs', async () => {
    await host.close()
    host = await HostApp.start({ otp: { store: storeOn(postgres.pool(), 1) } })
    const { jar, code } = await someone()
    const blocker = await postgres.pool().connect()
    await blocker.query('BEGIN; LOCK TABLE otp_challenges')
    await expectDown(guess(jar, wrongCode(code)))
    await blocker.query('COMMIT')
    blocker.release()
    const next = await guess(jar, wrongCode(code)).expect(422)
    expect(next.body).toMatchObject({ attempts_left: 3 })
  })

  test('dropped tables end as 503 until the schema creates them again', async () => {
    const { jar, code } = await someone()
    await postgres.ask('DROP TABLE otp_buckets')
    await expectDown(guess(jar, code))
    await expectDown(jar.post('/2fa/send').send({}))
    await postgres.ask(PostgresStore.schema)
    await guess(jar, code).expect(200)
  })

  test('a read-only database accepts no code and counts nothing', async () => {
    const [open, shut] = [postgres.pool(), postgres.pool({ options: '-c default_transaction_read_only=on' })]
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
