import { HostApp } from '../helpers/host-app.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'

const DAILY = ['550 5.4.5 Daily user sending limit exceeded', '454 Throttling failure: Daily message quota exceeded']
const SHORT_TERM = ['454 Throttling failure: Maximum sending rate exceeded', '421 4.7.28 rate limited']

let host: HostApp
let smtp: ScriptedSmtp
afterEach(async () => {
  await smtp.close()
  await host.close()
})

/** An app whose relay answers the message itself with what the recipient's server said. */
async function relaying(reply: string): Promise<void> {
  smtp = await ScriptedSmtp.listen({ end: reply })
  const mail = { transport: smtp.url, from: 'Acme <no-reply@acme.example>' }
  host = await HostApp.start({ otp: { mail, typedEmail: true } })
}

/** Mails typed addresses, and waits until each has been refused. */
async function typed(...emails: string[]): Promise<void> {
  const undelivered = (): number => host.events.filter(({ type }) => type === 'undelivered').length
  const expected = undelivered() + emails.length
  await Promise.all(emails.map((email) => host.jar().post('/2fa/send').send({ email }).expect(200)))
  while (undelivered() < expected) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** What a signed-in user is answered once the relay is polite to them. */
async function askSignedIn(): Promise<unknown> {
  smtp.script = {}
  const { body } = await (await host.signedIn()).post('/2fa/send').send({})
  return (body as { code?: unknown; delivery?: unknown }).delivery ?? (body as { code?: unknown }).code
}

const DOMAINS = ['a.example', 'b.example', 'c.example']

test.each([...DAILY, ...SHORT_TERM])(
  'H18: "%s" to a typed address: a signed-in user is still mailed',
  async (reply) => {
    await relaying(reply)
    await typed('p@evil.example', 'q@evil.example', 'r@evil.example')
    expect(host.otp.health().breaker).toBe('closed')
    expect(await askSignedIn()).toBe('sent')
  },
)

test.each(DAILY)('H18: "%s" to three domains within a minute opens the breaker', async (reply) => {
  await relaying(reply)
  await typed(...DOMAINS.map((domain) => `p@${domain}`))
  expect(host.otp.health()).toMatchObject({ breaker: 'open', retryAfter: 3_600 })
  expect(await askSignedIn()).toBe('mail_unavailable')
})

test.each(DAILY)('H18: "%s" to three domains in more than a minute does not', async (reply) => {
  await relaying(reply)
  for (const domain of DOMAINS) {
    await typed(`p@${domain}`)
    host.clock.tick(31)
  }
  expect(host.otp.health().breaker).toBe('closed')
  expect(await askSignedIn()).toBe('sent')
})
