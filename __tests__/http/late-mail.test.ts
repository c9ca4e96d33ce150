import { codesIn } from '../helpers/builders.js'
import { Gate } from '../helpers/gate.js'
import { type Agent, ANA, HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import type { OtpEvent, OtpOptions } from '../../src/index.js'

// Each answer waits three seconds for its mail, so these tests run at the same time and share nothing.

interface Setup {
  readonly host: HostApp
  readonly jar: Agent
  readonly smtp: ScriptedSmtp
  readonly codes: () => string[]
}

/** An app that mails through a scripted server, and a client that has signed in. */
async function withServer(
  script: SmtpScript,
  otp: (smtp: ScriptedSmtp) => OtpOptions['mail']['transport'],
  run: (setup: Setup) => Promise<void>,
): Promise<void> {
  const smtp = await ScriptedSmtp.listen(script)
  const mail = { transport: otp(smtp), from: 'Acme <no-reply@acme.example>' }
  const host = await HostApp.start({ otp: { mail, limits: { sendsPerUser: { capacity: 1 } } } })
  try {
    await run({ host, jar: await host.signedIn(), smtp, codes: () => codesIn(smtp.messages) })
  } finally {
    await smtp.close()
    await host.close()
  }
}

const send = (jar: Agent) => jar.post('/2fa/send').send({})
const next = (host: HostApp, type: 'sent' | 'undelivered'): Promise<OtpEvent> =>
  new Promise((resolve) => host.otp.events.once(type, resolve))

describe('S6: a mail that takes longer than the answer', () => {
  const transient: [string, SmtpScript, string][] = [
    ['421 as greeting', { greeting: '421 4.3.2 not now' }, 'connect'],
    ['a connection that closes at once', { greeting: 'close' }, 'connect'],
    ['451 to the recipient', { rcpt: '451 4.7.1 try again later' }, 'greylist'],
    ['a recipient that is refused by hanging up', { rcpt: 'close' }, 'connect'],
    ['554 before the message', { data: '554 5.5.1 no' }, 'unknown'],
    ['451 after the message', { end: '451 4.3.0 disk full' }, 'greylist'],
    ['a connection that closes after the message', { end: 'close' }, 'connect'],
  ]

  test.concurrent.each(transient)(
    'S6: %s is transient: the mail is tried again with the same code, and the page says so meanwhile',
    (_how, script, failureClass) =>
      withServer(
        script,
        (smtp) => smtp.url,
        async ({ host, jar, smtp, codes }) => {
          expect((await send(jar).expect(200)).body).toMatchObject({ delivery: 'queued' })
          const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
          expect(page.text).toContain('has not gone out yet. We keep trying for a few minutes')
          expect(host.events.filter(({ type }) => type === 'undelivered')).toMatchObject([
            { outcome: 'deferred', failureClass, attempt: 1, retryIn: expect.any(Number) as number },
          ])
          smtp.script = {}
          const sent = next(host, 'sent')
          host.clock.tick(3)
          expect(await sent).toMatchObject({ attempt: 2 })
          expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ delivery: 'sent' })
          expect(new Set(codes()).size).toBe(1)
          await jar.post('/2fa/verify').send({ code: codes()[0] }).expect(200)
        },
      ),
  )

  test.concurrent(
    'S6: behind a server that hangs the page says "on its way"; the later failure is shown and gives the send back',
    () =>
      withServer(
        { end: 'hang' },
        ({ port }) => ({ host: '127.0.0.1', port, socketTimeout: 2_000 }),
        async ({ host, jar, smtp, codes }) => {
          const failed = next(host, 'undelivered')
          const answer = send(jar).then(({ body }) => body as unknown)
          await smtp.until(() => smtp.messages.length === 1)
          host.clock.tick(3.1) // the answer waits three seconds
          expect(await answer).toMatchObject({ delivery: 'queued' })
          const page = await jar.get('/2fa').set(NAVIGATE).expect(200)
          expect(page.text).toContain('It is on its way to a•••@example.com.')
          smtp.script = { end: '554 5.6.0 no' }
          expect(await failed).toMatchObject({ outcome: 'deferred', failureClass: 'connect' })
          const lost = next(host, 'undelivered')
          await new Promise(setImmediate) // the wait for the next attempt begins after the event
          host.clock.tick(10)
          expect(await lost).toMatchObject({ outcome: 'unavailable', failureClass: 'content' })
          const late = await jar.get('/2fa').set(NAVIGATE).expect(200)
          expect(late.text).toContain('The mail to a•••@example.com did not go out. Send it again.')
          expect((await jar.get('/2fa').set(JSON_CLIENT)).body).toMatchObject({ state: 'send', delivery: 'failed' })
          smtp.script = {}
          await send(jar).expect(200)
          expect(new Set(codes()).size).toBe(1)
        },
      ),
  )

  test.concurrent('S6: a mail that goes out after the answer said "on its way" works', async () => {
    const [called, gate] = [new Gate(), new Gate()]
    const texts: string[] = []
    const transport = {
      sendMail: async (message: { text?: unknown }) => {
        texts.push(String(message.text))
        called.open()
        await gate.opened
        return { accepted: [ANA.email] }
      },
    }
    const host = await HostApp.start({ otp: { mail: { transport, from: 'no-reply@acme.example' } } })
    try {
      const jar = await host.signedIn()
      const answer = send(jar).then(({ body }) => body as unknown)
      await called.opened
      host.clock.tick(3.1)
      expect(await answer).toMatchObject({ delivery: 'queued' })
      const sent = next(host, 'sent')
      gate.open()
      expect(await sent).toMatchObject({ outcome: 'accepted', user: 'u1' })
      await jar
        .post('/2fa/verify')
        .send({ code: codesIn(texts)[0] })
        .expect(200)
    } finally {
      await host.close()
    }
  })
})
