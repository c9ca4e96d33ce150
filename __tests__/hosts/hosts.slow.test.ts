import { HostProjects, projectNames } from '../helpers/host-projects.js'
import { browserStory, jsonStory } from '../helpers/host-story.js'
import { Mailbox } from '../helpers/mailbox.js'
import { JsonClient, PlainBrowser } from '../helpers/plain-browser.js'
import { describeWithPostgres, PostgresServer } from '../helpers/postgres-server.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'

/** Hosts that are not at the root of their origin. */
const BASES: Record<string, string> = { 'sub-app': '/shop', 'prefix-proxy': '/shop' }
const DATABASES = ['redis', 'postgres']

let projects: HostProjects
const mailbox = new Mailbox()
beforeAll(async () => {
  await mailbox.listen()
  projects = await HostProjects.install()
}, 240_000)
afterEach(() => {
  const output = projects.stop()
  expect(output).not.toMatch(/express-email-otp|ExpressEmailOtpWarning/) // no misuse is seen where there is none
})
afterAll(async () => {
  projects.remove()
  await mailbox.close()
})

async function tell(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const origin = await projects.start(name, { SMTP_URL: mailbox.url, ...env })
  const host = { origin, base: BASES[name] ?? '', mailbox }
  await browserStory(host, 'ana@example.com')
  await jsonStory(host, 'ben@example.com')
}

test.each(projectNames().filter((name) => !DATABASES.includes(name)))(
  'the whole story, as a browser without script and as a JSON client: %s',
  async (name) => {
    await tell(name)
  },
)

test.each(['csurf', 'helmet-csrf', 'lusca'])(
  'the CSRF check of the host %s stands in front of our routes',
  async (name) => {
    const client = new JsonClient(await projects.start(name, { SMTP_URL: mailbox.url }))
    expect((await client.post('/2fa/send', {})).status).toBe(403)
    const { body: token } = await client.get('/fields')
    expect(await client.post('/2fa/send', token)).toMatchObject({ status: 401, body: { code: 'sign_in_required' } })
  },
)

test('the pages of the host ejs stand in its own layout', async () => {
  const browser = new PlainBrowser(await projects.start('ejs', { SMTP_URL: mailbox.url }))
  await browser.open('/sign-in')
  await browser.submit('/sign-in', { email: 'cy@example.com' })
  expect([browser.path, browser.html]).toEqual(['/2fa', expect.stringContaining('The shop of cy@example.com')])
  await browser.open('/2fa?for=altered')
  expect([browser.status, browser.html]).toEqual([409, expect.stringContaining('The shop of cy@example.com')])
})

test.each([
  ['express-4.16', /^4\.16\./],
  ['express-4.22', /^4\.22\./],
  ['express-5', /^5\./],
])('the host %s has the Express that its name says, and so has this package there', (name, version) => {
  expect(projects.expressVersions(name)).toEqual([expect.stringMatching(version), expect.stringMatching(version)])
})

describeWithRedis('with sessions of connect-redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis.stop())

  test('the whole story, as a browser without script and as a JSON client', async () => {
    await tell('redis', { REDIS_URL: redis.url })
  })
})

describeWithPostgres('with sessions of connect-pg-simple', () => {
  let postgres: PostgresServer
  beforeAll(async () => {
    postgres = await PostgresServer.start()
  })
  afterAll(() => postgres.stop())

  test('the whole story, as a browser without script and as a JSON client', async () => {
    await tell('postgres', { DATABASE_URL: postgres.url })
  })
})
