import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import request from 'supertest'
import { guess } from './helpers/guessing.js'
import { Mailbox, wrongCode } from './helpers/mailbox.js'
import { describeWithPostgres, PostgresServer } from './helpers/postgres-server.js'
import { Programs, snippet, write, writeProject } from './helpers/readme.js'
import { describeWithRedis, RedisServer } from './helpers/redis-server.js'
import { ScriptedSmtp } from './helpers/smtp-script.js'

/** The app around a snippet. */
const around = (code: string, sessions: string): string => `
  import express from 'express'
  import session from 'express-session'
  const app = express()
  const rest = {
    secret: 'a-secret-for-the-readme-of-32-characters',
    site: { name: 'Acme' },
    mail: { transport: process.env.SMTP_URL, from: 'Acme <no-reply@acme.example>' },
    user: () => ({ id: 'the id of Ana', email: 'ana@example.com' }),
    code: { digits: 18 }, // so long that nothing contains it by chance
  }
  ${sessions}
  ${code}
  app.use('/2fa', otp.router)
  app.get('/secret', otp.requireOtp(), (_req, res) => res.send('the secret'))
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const OWN_SESSIONS = `app.use(session({ secret: 'own', resave: false, saveUninitialized: false }))`

let mailbox: Mailbox
const programs = new Programs()
beforeAll(async () => {
  mailbox = await new Mailbox().listen()
})
afterEach(() => {
  programs.kill()
})
afterAll(async () => {
  await mailbox.close()
})

/** Runs the snippet as an app of its own and returns its URL. */
async function run(name: string, sessions: string, more: NodeJS.ProcessEnv): Promise<string> {
  const file = write(`${name}.mjs`, around(snippet(name), sessions))
  const { said } = await programs.start(file, { SMTP_URL: mailbox.url, SESSION_SECRET: 'of the session', ...more })
  return `http://127.0.0.1:${said}`
}

/** A code requested, mistyped and typed at one process, while the other one shares the limits. */
async function journey(one: string, two: string): Promise<void> {
  const jar = request.agent(one)
  await jar.post('/2fa/send').send({}).expect(200)
  const code = mailbox.code
  const wrong = await guess(jar, wrongCode(code)).expect(422)
  expect(wrong.body).toMatchObject({ attempts_left: 4 })
  // Five mails to one user, whichever process is asked.
  for (let asked = 0; asked < 4; asked++) await request(two).post('/2fa/send').send({}).expect(200)
  await request(two).post('/2fa/send').send({}).expect(429)
  await guess(jar, code).expect(200)
  await jar.get('/secret').expect(200, 'the secret')
}

describe('the app of the README, run as it stands', () => {
  /** Signs everybody in as Ana, and prints where it listens. */
  const app = `
    ${snippet('app')}
    app.post('/sign-in', (req, res) => {
      req.session.user = { id: 'the id of Ana', email: 'ana@example.com' }
      res.end()
    })
    const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
  `
  const env = {
    SESSION_SECRET: 'of the session',
    OTP_SECRET: 'of the README, 32 characters long',
  }
  const signedIn = async (environment: string) => {
    const { said } = await programs.start(write('app.mjs', app), {
      ...env,
      SMTP_URL: mailbox.url,
      NODE_ENV: environment,
    })
    const jar = request.agent(`http://127.0.0.1:${said}`)
    await jar.post('/sign-in').expect(200)
    return jar
  }

  test('a guarded page opens after the code was typed', async () => {
    const jar = await signedIn('production')
    const asked = await jar.get('/account').set('Accept', 'application/json').expect(401)
    await jar.post(String(asked.body.send_url)).send({ for: asked.body.for }).expect(200)
    const typed = { for: asked.body.for, code: mailbox.code }
    const right = await jar.post(String(asked.body.verify_url)).send(typed).expect(200)
    expect(right.body).toMatchObject({ verified: true, return_to: '/account' })
    await jar.get('/account').expect(200, 'Hello ana@example.com')
    await jar.get('/workbench').expect(404)
  })

  test('outside production the code is in the inbox of the workbench', async () => {
    const received = mailbox.received.length
    const jar = await signedIn('development')
    const asked = await jar.get('/account').set('Accept', 'application/json').expect(401)
    await jar.post(String(asked.body.send_url)).send({ for: asked.body.for }).expect(200)
    const { text } = await jar.get('/workbench/inbox').expect(200)
    const [, code] = /@localhost #(\d{6})/.exec(text) ?? []
    await jar.post(String(asked.body.verify_url)).send({ for: asked.body.for, code }).expect(200)
    await jar.get('/account').expect(200, 'Hello ana@example.com')
    expect(mailbox.received).toHaveLength(received)
  })

  test('a transfer needs a code of its own, which opens it once and for this amount only', async () => {
    const jar = await signedIn('production')
    const pay = (amount: string) => jar.post('/transfer').type('form').send({ amount, payee: 'Ben' })
    const asked = await pay('50').set('Accept', 'application/json').expect(401)
    await jar.post('/2fa/send').send({ for: asked.body.for }).expect(200)
    await jar.post('/2fa/verify').send({ for: asked.body.for, code: mailbox.code }).expect(200)
    await pay('51').expect(401)
    await pay('50').expect(200, 'Sent 50 EUR to Ben')
    await pay('50').expect(401)
  })
})

describe('the tests of a host’s app, run as they stand:', () => {
  const env = { ...process.env, SESSION_SECRET: 'of the session', OTP_SECRET: 'of the tests, 32 characters long' }
  const runTest = async (file: string, ...runner: string[]) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...runner], {
      env,
      cwd: path.dirname(file),
    })
    return stdout + stderr
  }
  const jest = path.join(__dirname, '../node_modules/jest/bin/jest.js')
  const write = (name: string) => writeProject('tested', { 'app.js': snippet('app.js'), [name]: snippet(name) })

  test('ten lines of the README, with Jest', async () => {
    const file = write('account.test.js')
    expect(snippet('account.test.js').split('\n').filter(Boolean)).toHaveLength(10)
    const said = await runTest(file, '--experimental-vm-modules', jest, '--rootDir', '.', 'account')
    expect(said).toContain('Tests:       1 passed, 1 total')
  })

  test('docs/testing.md, with node --test', async () => {
    const said = await runTest(write('transfer.test.js'), '--test', '--test-reporter=tap', 'transfer.test.js')
    expect(said).toMatch(/^# pass 1$/m)
  })

  test('the proof of the mails in docs/testing.md', async () => {
    const said = await runTest(write('mails.test.js'), '--test', '--test-reporter=tap', 'mails.test.js')
    expect(said).toMatch(/^# pass 16$/m)
  })
})

describeWithRedis('the snippets for Redis in docs/stores.md, run as they stand:', () => {
  let redis: RedisServer
  beforeEach(async () => {
    redis = await RedisServer.start()
  })
  afterEach(async () => {
    await redis.stop()
  })

  test.each([
    ['node-redis', ''],
    ['ioredis', OWN_SESSIONS],
  ])('%s', async (name, sessions) => {
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` }
    await journey(await run(name, sessions, env), await run(name, sessions, env))
  })
})

describeWithPostgres('the snippet for PostgreSQL in docs/stores.md, run as it stands:', () => {
  test('pg', async () => {
    const postgres = await PostgresServer.start()
    try {
      const env = { DATABASE_URL: postgres.url }
      const [one, two] = [await run('postgres', '', env), await run('postgres', '', env)]
      await journey(one, two)
      // As a restart of the server does to idle connections.
      await postgres.ask('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
      for (const host of [one, two]) {
        const answers = new Set<number>()
        while (!answers.has(429)) answers.add((await request(host).post('/2fa/send').send({})).status)
        expect([...answers].filter((status) => status !== 503)).toEqual([429])
      }
    } finally {
      await postgres.stop()
    }
  })
})

describe('the metrics in docs/events.md', () => {
  let smtp: ScriptedSmtp
  beforeEach(async () => {
    smtp = await ScriptedSmtp.listen()
  })
  afterEach(async () => {
    await smtp.close()
  })

  const started = async () => {
    const before = `import { emailOtp } from 'express-email-otp'\nconst otp = emailOtp(rest)\n${OWN_SESSIONS}`
    return request.agent(await run('metrics', before, { SMTP_URL: smtp.url }))
  }

  test('count what happens and contain no personal data', async () => {
    const jar = await started()
    const send = (status: number) => jar.post('/2fa/send').send({}).expect(status)
    await send(200)
    const code = /^(\d{18})\r?$/m.exec(smtp.messages[0] ?? '')?.[1] ?? ''
    await guess(jar, wrongCode(code)).expect(422)
    await guess(jar, code).expect(200)
    smtp.script = { rcpt: '550 5.1.1 no such user' }
    await send(422)
    smtp.script = { rcpt: '451 4.7.1 try again in 200 seconds' }
    await send(200)
    const { text, headers } = await jar.get('/metrics').expect(200)
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(text).not.toMatch(/@|example|the id of Ana|\d{18}/)
    const samples = text.split('\n').filter((line) => line.startsWith('otp_') && !/_(bucket|sum)\b/.test(line))
    expect(samples).toEqual([
      'otp_mails_total{outcome="accepted"} 1',
      'otp_mails_total{outcome="refused",failure_class="recipient"} 1',
      'otp_mails_total{outcome="deferred",failure_class="greylist"} 1',
      'otp_rejected_total{outcome="mismatch"} 1',
      'otp_verified_seconds_count 1',
      'otp_mails_waiting 1',
      'otp_breaker_open 0',
    ])
  })

  test('show that the circuit breaker is open', async () => {
    smtp.script = { greeting: '554 5.7.1 not from here' }
    const jar = await started()
    for (let sends = 0; sends < 6; sends++) await jar.post('/2fa/send').send({}).expect(503)
    const { text } = await jar.get('/metrics').expect(200)
    expect(text).toContain('otp_mails_total{outcome="unavailable",failure_class="blocked"} 5\n')
    expect(text).toContain('otp_breaker_open 1\n')
  })
})

test('an author of a store runs the conformance suite with the five lines in docs/stores.md', async () => {
  // Waiting moves the clock of this store, so the test does not depend on the speed of the machine.
  const store = `
    const { MemoryStore } = require('express-email-otp')
    let now = Date.now()
    require('node:timers/promises').setTimeout = async (ms) => void (now += ms)
    exports.MyStore = class extends MemoryStore {
      constructor() {
        super({ now: () => now })
      }
    }
  `
  write('my-store.js', store)
  const file = write('suite.test.mjs', snippet('suite'))
  expect(snippet('suite').trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(5)
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file])
  expect(stdout).toMatch(/^# pass 71$/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})
