import { simpleParser } from 'mailparser'
import { ANA, BEN, HostApp, type HostOptions } from '../helpers/host-app.js'
import { createMailbox, type ReceivedMail } from '../../src/testing/index.js'

let host: HostApp
const mailbox = createMailbox()
afterEach(async () => {
  await host.close()
  mailbox.clear()
})

async function start(otp: HostOptions['otp'] = {}): Promise<void> {
  host = await HostApp.start({ otp: { mail: { transport: mailbox, from: 'Acme <no-reply@acme.example>' }, ...otp } })
}

/** A signed-in agent for which a code was mailed. */
async function sent(user = ANA) {
  const agent = await host.signedIn(user)
  await agent.post('/2fa/send').send({}).expect(200)
  return agent
}

const newest = (): ReceivedMail => {
  const [mail] = mailbox.mails
  if (!mail) throw new Error('no mail')
  return mail
}

describe('a mailbox as `mail.transport`', () => {
  test('keeps a mail as it would have been sent, the newest first', async () => {
    await start()
    await sent(BEN)
    await sent(ANA)
    expect(mailbox.mails.map(({ to }) => to)).toEqual([[ANA.email], [BEN.email]])
    const { subject, text, html, raw, code, tag } = newest()
    const parsed = await simpleParser(raw)
    expect(parsed).toMatchObject({ subject, to: { text: ANA.email }, from: { text: '"Acme" <no-reply@acme.example>' } })
    expect(parsed.text?.trim()).toBe(text.trim())
    expect([text, html]).toEqual([expect.stringContaining(String(code)), expect.stringContaining(String(code))])
    expect(text).toContain(tag)
  })

  test.each([
    ['six digits', {}, /^\d{6}$/],
    ['18 digits', { code: { digits: 18 } }, /^\d{18}$/],
    ['letters', { code: { alphabet: 'abcdefgh', length: 9 } }, /^[a-h]{9}$/],
    ['six digits in an app without an origin', { site: { name: 'Acme 2030' } }, /^\d{6}$/],
  ] as const)('codeFor() finds %s, and they verify', async (_name, otp, format) => {
    await start(otp)
    const agent = await sent()
    const code = await mailbox.codeFor(ANA.email)
    expect(code).toMatch(format)
    await agent.post('/2fa/verify').send({ code }).expect(200)
  })

  test('codeFor() finds a long code as a person reads it', async () => {
    await start({ limits: { failures: { capacity: 1 } } })
    const agent = await sent()
    await agent.post('/2fa/verify').send({ code: '000000' })
    await agent.post('/2fa/restart').send({})
    await agent.post('/2fa/send').send({}).expect(200)
    const code = await mailbox.codeFor(ANA.email)
    expect(code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}$/)
    await agent.post('/2fa/verify').send({ code }).expect(200)
  })

  test('codeFor() waits for a mail to a typed address, in whatever case it is written', async () => {
    await start({ typedEmail: true })
    const agent = host.jar()
    await agent.post('/2fa/send').send({ email: 'New@Example.com' }).expect(200)
    const code = await mailbox.codeFor('new@example.com')
    await agent.post('/2fa/verify').send({ code }).expect(200)
  })

  test('codeFor() tells for whom mail came instead, and which of it had no code', async () => {
    await start()
    await sent(BEN)
    await mailbox.sendMail({
      from: 'a@acme.example',
      to: 'ana@example.com, c@example.com',
      subject: 'Order',
      text: '123456',
    })
    await expect(mailbox.codeFor(ANA.email, { timeout: 0.05 })).rejects.toThrow(
      'The mailbox got no code for ana@example.com within 0.05 s. ' +
        'Mails came for: ana@example.com, c@example.com (without a code); ben@example.com.',
    )
    mailbox.clear()
    await expect(mailbox.codeFor(ANA.email, { timeout: 0.05 })).rejects.toThrow('It got no mail at all')
  })

  test('codeFor() finds the code of a mail that a worker sends', async () => {
    await start({
      mail: {
        transport: mailbox,
        from: 'no-reply@acme.example',
        deliver: (job) => void setTimeout(() => void host.otp.deliverJob(job), 50),
      },
    })
    const agent = await sent()
    await agent
      .post('/2fa/verify')
      .send({ code: await mailbox.codeFor(ANA.email) })
      .expect(200)
  })

  test('tells listeners of each mail', async () => {
    await start()
    const heard: unknown[] = []
    mailbox.once('mail', (mail) => heard.push(mail.code))
    await sent()
    expect(heard).toEqual([newest().code])
  })

  test('refuses a mail that cannot be composed, as a server would', async () => {
    await start()
    await expect(mailbox.sendMail({ to: ANA.email, text: { path: '/nowhere' } })).rejects.toThrow('ENOENT')
    expect(mailbox.mails).toEqual([])
  })
})

describe('the code in a message', () => {
  test('C6: stands beside its texts only under a symbol, so no mail and no JSON has it', async () => {
    const messages: Record<string, unknown>[] = []
    await start({
      site: { name: 'Acme' },
      mail: {
        from: 'no-reply@acme.example',
        transport: { sendMail: async (message) => ((messages[0] = message), mailbox.sendMail(message)) },
      },
    })
    await sent()
    const { text, html, subject, ...rest } = messages[0] ?? {}
    expect([text, html]).toEqual([expect.stringContaining(newest().code ?? '-'), expect.anything()])
    expect(JSON.stringify([rest, subject])).not.toContain(newest().code)
    expect(newest().raw).not.toContain('codeInMail')
  })
})
