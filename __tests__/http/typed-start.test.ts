import { type Agent, HostApp } from '../helpers/host-app.js'
import { smtpError } from '../helpers/send-queue.js'
import type { MailTransporter, OtpOptions } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const accept = (email: string): boolean => !email.startsWith('no')

let host: HostApp
/** Milliseconds of the real clock. */
let startedAt: number[]
afterEach(() => host.close())

async function app(more: Partial<OtpOptions> = {}, deliver?: OtpOptions['mail']['deliver']): Promise<void> {
  startedAt = []
  const transport: MailTransporter = {
    sendMail({ to }) {
      startedAt.push(performance.now())
      return Promise.resolve({ accepted: [(to as { address: string }).address] })
    },
  }
  const mail = { transport, from: FROM, ...(deliver && { deliver }) }
  const limits = { sendsPerIp: { capacity: 1_000 } }
  host = await HostApp.start({ otp: { user: () => null, typedEmail: { accept }, mail, limits, ...more } })
}

const ask = (jar: Agent, email: string) => jar.post('/2fa/send').send({ email }).expect(200)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('S5: forty typed mails start at different moments within two seconds after their answers', async () => {
  await app()
  const waits = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      await ask(host.jar(), `p@${i}.example`)
      return performance.now()
    }),
  )
  while (startedAt.length < 40) await pause(10)
  const [first, last] = [Math.min(...startedAt) - Math.min(...waits), Math.max(...startedAt)]
  expect(first).toBeLessThan(1_000)
  expect(last - Math.max(...waits)).toBeLessThan(3_000) // with a second for a busy machine
  expect(new Set(startedAt.map((at) => Math.floor(at / 100))).size).toBeGreaterThan(5)
})

test('S5: close() waits for no random moment: what has not started gets its attempt at once', async () => {
  await app()
  for (const email of ['yes@a.example', 'no@b.example', 'yes@c.example']) await ask(host.jar(), email)
  const before = performance.now()
  await host.otp.close()
  expect(startedAt).toHaveLength(2)
  expect(performance.now() - before).toBeLessThan(1_000)
  expect(host.events.filter(({ type }) => type === 'sent')).toHaveLength(2)
  expect(host.events.filter(({ type }) => type === 'undelivered' || type === 'failed')).toEqual([])
})

test('S5: close() hands what has not started to the app’s own queue, and waits until it has it', async () => {
  const jobs: string[] = []
  await app({}, async ({ address }) => {
    await pause(50)
    jobs.push(address)
  })
  for (const email of ['yes@a.example', 'no@b.example']) await ask(host.jar(), email)
  await host.otp.close()
  expect(jobs).toEqual(['yes@a.example'])
})

test('S5: a code that is replaced before its mail started is not mailed', async () => {
  await app()
  const jar = host.jar()
  await ask(jar, 'yes@a.example')
  await jar.post('/2fa/restart').send({}).expect(200)
  expect(host.otp.health().queue).toBe(0)
  await pause(2_100)
  expect(startedAt).toEqual([])
  expect(host.events.filter(({ type }) => type === 'undelivered')).toMatchObject([{ outcome: 'cancelled' }])
})

test('S5: after an outage a typed mail probes nothing, and the state is the same whatever was typed', async () => {
  let isBack = false
  let checks = 0
  const sent: string[] = []
  const transport: MailTransporter = {
    sendMail({ to }) {
      const { address } = to as { address: string }
      sent.push(address)
      return isBack ? Promise.resolve({ accepted: [address] }) : Promise.reject(smtpError('535 5.7.8 bad', 'CONN'))
    },
    verify() {
      checks += 1
      return isBack ? Promise.resolve(true) : Promise.reject(smtpError('535 5.7.8 bad', 'CONN'))
    },
  }
  await app({ user: (req) => req.session.user ?? null, mail: { transport, from: FROM } })
  const user = await host.signedIn()
  await user.post('/2fa/send').send({}).expect(503)
  for (const [email, seconds] of [
    ['yes@a.example', 60],
    ['no@a.example', 900],
  ] as const) {
    host.clock.tick(host.otp.health().retryAfter)
    await ask(host.jar(), email)
    while (host.otp.health().breaker !== 'open') await pause(10)
    expect(host.otp.health().retryAfter).toBe(seconds)
  }
  host.clock.tick(900)
  const before = performance.now()
  await user.post('/2fa/send').send({}).expect(503) // told as soon as the check has failed
  expect(performance.now() - before).toBeLessThan(2_500)
  expect([sent, checks]).toEqual([['ana@example.com'], 3])
  isBack = true
  host.clock.tick(900)
  await user.post('/2fa/send').send({}).expect(200)
  expect(host.otp.health()).toMatchObject({ breaker: 'closed' })
})
