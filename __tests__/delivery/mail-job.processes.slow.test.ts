import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import request from 'supertest'
import { guess } from '../helpers/guessing.js'
import { Programs, snippet, write } from '../helpers/readme.js'
import { describeWithRedis, RedisServer } from '../helpers/redis-server.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'

const ADDRESS = 'ana@example.com'
/** What app and worker have in common; the code is so long that it stands nowhere by chance. */
const REST = `
  const rest = {
    secret: 'a-secret-for-the-readme-of-32-characters',
    site: { name: 'Acme' },
    mail: { transport: process.env.SMTP_URL, from: 'Acme <no-reply@acme.example>' },
    user: () => ({ id: 'the id of Ana', email: '${ADDRESS}' }),
    code: { digits: 18 },
  }
`
const APP = `
  import express from 'express'
  import session from 'express-session'
  ${REST}
  ${snippet('bullmq-app')}
  const app = express()
  app.use(session({ secret: 'own', resave: false, saveUninitialized: false }))
  app.use('/2fa', otp.router)
  app.get('/secret', otp.requireOtp(), (_req, res) => res.send('the secret'))
  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const WORKER = `
  ${REST}
  ${snippet('bullmq-worker')}
  worker.waitUntilReady().then(() => console.log('ready'))
`

describeWithRedis('an app’s own queue, by the snippets of the documentation', () => {
  const programs = new Programs()
  let redis: RedisServer
  let smtp: ScriptedSmtp
  beforeEach(async () => {
    redis = await RedisServer.start()
    smtp = await ScriptedSmtp.listen()
  })
  afterEach(async () => {
    programs.kill()
    await smtp.close()
    await redis.stop()
  })

  const start = (file: string, source: string) =>
    programs.start(write(file, source), { REDIS_URL: redis.url, SMTP_URL: smtp.url })
  const startWorker = async (): Promise<ChildProcess> => (await start('bullmq-worker.mjs', WORKER)).child
  const startApp = async () => request.agent(`http://127.0.0.1:${(await start('bullmq-app.mjs', APP)).said}`)
  const mailed = (count: number) => smtp.until(() => smtp.messages.length === count)

  /** Every key with all that it holds. */
  async function held(): Promise<string[]> {
    const keys = (await redis.ask('KEYS', '*')) as string[]
    return Promise.all(keys.map(async (key) => JSON.stringify([key, await valueOf(key)])))
  }

  async function valueOf(key: string): Promise<unknown> {
    const type = String(await redis.ask('TYPE', key))
    const reads: Record<string, string[]> = {
      none: ['TYPE', key], // it has expired meanwhile
      string: ['GET', key],
      hash: ['HGETALL', key],
      list: ['LRANGE', key, '0', '-1'],
      set: ['SMEMBERS', key],
      zset: ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
      stream: ['XRANGE', key, '-', '+'],
    }
    const read = reads[type]
    if (!read) throw new Error(`a key of type ${type}`)
    return redis.ask(...read)
  }

  test('a worker is killed while sending: another one mails the same code, and Redis never held it', async () => {
    smtp.script = { end: 'hang' }
    const jar = await startApp()
    const { body } = await jar.post('/2fa/send').send({}).expect(200)
    expect(body).toMatchObject({ delivery: 'queued' })
    expect(await redis.ask('LRANGE', 'bull:otp-mail:wait', '0', '-1')).toEqual(['1'])
    const waiting = await held()

    const first = await startWorker()
    await mailed(1) // in full, but not answered
    const code = codeOf(smtp.messages[0])
    const job = JSON.parse(String(await redis.ask('HGET', 'bull:otp-mail:1', 'data'))) as Record<string, string>
    expect(job).toEqual({ payload: expect.any(String), address: ADDRESS, view: 'code', locale: 'en' })
    for (const everything of [waiting, await held()]) {
      expect(everything.length).toBeGreaterThanOrEqual(4)
      expect(everything.join('').split(ADDRESS)).toHaveLength(2) // once, and that is the job's own field
      for (const text of everything) expect(text).not.toMatch(new RegExp(`${code}|the id of Ana`))
    }

    first.kill('SIGKILL')
    await once(first, 'exit')
    smtp.script = {}
    await startWorker()
    await mailed(2)
    expect(smtp.recipients).toEqual([ADDRESS, ADDRESS])
    expect(smtp.messages.map(codeOf)).toEqual([code, code])
    expect(new Set(smtp.messages.map(messageIdOf)).size).toBe(1)
    while ((await redis.ask('EXISTS', 'bull:otp-mail:1')) === 1);
    for (const text of await held()) expect(text).not.toMatch(new RegExp(`${code}|the id of Ana|${ADDRESS}`))

    await guess(jar, code).expect(200)
    await jar.get('/secret').expect(200, 'the secret')
  }, 60_000)

  test('a deferred mail is tried again; a worker exits by itself on SIGTERM', async () => {
    smtp.script = { end: '451 4.7.1 try again later' }
    const jar = await startApp()
    await jar.post('/2fa/send').send({}).expect(200)
    const worker = await startWorker()
    await mailed(1)
    smtp.script = {}
    await mailed(2)
    const [first, second] = smtp.messages
    expect(codeOf(second)).toBe(codeOf(first))
    expect(messageIdOf(second)).toBe(messageIdOf(first))
    worker.kill('SIGTERM')
    expect(await once(worker, 'exit')).toEqual([0, null])
    await guess(jar, codeOf(second)).expect(200)
  }, 60_000)

  test('while Redis is down the user is told so, and is mailed as soon as it is back', async () => {
    const jar = await startApp()
    await startWorker()
    await redis.kill()
    const response = await jar.post('/2fa/send').send({}).expect(503)
    expect(response.body).toMatchObject({ code: 'mail_unavailable' })
    await redis.restart()
    while (
      String(await redis.ask('CLIENT', 'LIST'))
        .trim()
        .split('\n').length < 4
    );
    while ((await jar.post('/2fa/send').send({})).status === 503);
    await mailed(1)
    await guess(jar, codeOf(smtp.messages[0])).expect(200)
  }, 60_000)
})

/** The code stands alone on its line. */
function codeOf(message = ''): string {
  const code = /^(\d{18})\r?$/m.exec(message)?.[1]
  if (code === undefined) throw new Error(`no code in:\n${message}`)
  return code
}

function messageIdOf(message = ''): string | undefined {
  return /^Message-ID: (.*)$/im.exec(message)?.[1]
}
