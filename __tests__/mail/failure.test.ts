import { createTransport } from 'nodemailer'
import { createMailer } from '../../src/mail/delivery.js'
import { classifyFailure } from '../../src/mail/failure.js'
import { resolveMail } from '../../src/mail/transport.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'

const TO = 'ana@example.com'
const MESSAGE = { from: 'no-reply@acme.example', to: { name: '', address: TO }, subject: 's', text: 't' }

describe('what a mail server does, read from what nodemailer reports', () => {
  test.each<[string, SmtpScript, string, RegExp]>([
    ['takes it', {}, 'accepted', /^$/],
    ['is shut with 421', { greeting: '421 4.3.2 not now' }, 'unavailable', /421/],
    ['is shut with 554', { greeting: '554 5.7.1 blocked' }, 'unavailable', /554/],
    ['hangs up at the greeting', { greeting: 'close' }, 'unavailable', /ECONNECTION|ESOCKET/],
    ['refuses the sender', { mail: '550 5.1.8 bad sender' }, 'unavailable', /MAIL FROM 550/],
    ['asks for a login', { mail: '530 5.7.0 log in' }, 'unavailable', /530/],
    ['does not know the mailbox', { rcpt: '550 5.1.1 no such user' }, 'refused', /RCPT TO 550/],
    ['knows a newer mailbox', { rcpt: '551 5.1.6 moved' }, 'refused', /RCPT TO 551/],
    ['has no room in the mailbox', { rcpt: '552 5.2.2 full' }, 'refused', /RCPT TO 552/],
    ['has no room at the moment', { rcpt: '452 4.2.2 full' }, 'refused', /RCPT TO 452/],
    ['does not like the name', { rcpt: '553 5.1.3 bad name' }, 'refused', /RCPT TO 553/],
    ['wants to be asked again', { rcpt: '451 4.7.1 greylisted' }, 'unavailable', /RCPT TO 451/],
    ['is busy with the mailbox', { rcpt: '450 4.2.1 busy' }, 'unavailable', /RCPT TO 450/],
    ['refuses the session at the recipient', { rcpt: '554 5.7.1 relay' }, 'unavailable', /RCPT TO 554/],
    ['takes no message', { data: '554 5.5.1 no' }, 'unavailable', /DATA 554/],
    ['dislikes the message', { end: '554 5.6.0 spam' }, 'unavailable', /DATA 554/],
    ['finds the message too big', { end: '552 5.3.4 size' }, 'unavailable', /DATA 552/],
    ['has no disk', { end: '452 4.3.1 disk' }, 'unavailable', /DATA 452/],
    ['hangs up after the message', { end: 'close' }, 'unavailable', /ECONNECTION|ESOCKET/],
    ['falls silent after the message', { end: 'hang' }, 'unavailable', /ETIMEDOUT|ESOCKET/],
    ['never greets', { greeting: 'hang' }, 'unavailable', /ETIMEDOUT|ESOCKET/],
  ])('a server that %s', async (_what, script, outcome, reason) => {
    const smtp = await ScriptedSmtp.listen(script)
    const transport = { host: '127.0.0.1', port: smtp.port, socketTimeout: 400, greetingTimeout: 400 }
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    const delivery = await mailer.deliver(MESSAGE, TO)
    await mailer.close()
    await smtp.close()
    expect(delivery.outcome).toBe(outcome)
    expect('reason' in delivery ? delivery.reason : '').toMatch(reason)
  })

  test('a server that trickles is given up after twenty seconds, though its line never falls silent', async () => {
    const smtp = await ScriptedSmtp.listen({ end: 'trickle' })
    const mailer = createMailer(resolveMail({ transport: smtp.url, from: MESSAGE.from }))
    const delivery = await mailer.deliver(MESSAGE, TO)
    await mailer.close()
    await smtp.close()
    expect(delivery).toEqual({ outcome: 'unavailable', reason: expect.stringContaining('EABORT') as string })
  }, 40_000)

  test('a host’s own transporter is read in the same way', async () => {
    const smtp = await ScriptedSmtp.listen({ rcpt: '550 5.1.1 no such user' })
    const transport = createTransport({ host: '127.0.0.1', port: smtp.port, ignoreTLS: true })
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    expect(await mailer.deliver(MESSAGE, TO)).toMatchObject({ outcome: 'refused' })
    await mailer.close()
    await smtp.close()
  })
})

describe('the reason', () => {
  test('never repeats what the server said: its words may hold the address or the code', () => {
    const error = Object.assign(new Error('550 <ana@example.com> unknown, code 482915'), {
      code: 'EENVELOPE',
      command: 'RCPT TO',
      responseCode: 550,
      response: '550 <ana@example.com> unknown, code 482915',
    })
    expect(classifyFailure(error)).toEqual({ outcome: 'refused', reason: 'EENVELOPE RCPT TO 550' })
  })

  test('is read from the one recipient’s own error when nodemailer reports all as refused', () => {
    const one = Object.assign(new Error('no'), { command: 'RCPT TO', responseCode: 550 })
    const all = Object.assign(new Error('all refused'), { code: 'EENVELOPE', rejectedErrors: [one] })
    expect(classifyFailure(all)).toEqual({ outcome: 'refused', reason: 'RCPT TO 550' })
  })

  test.each([['text'], [7], [true], [new Error('odd')], [{ responseCode: '550', command: 'RCPT TO' }]])(
    'anything odd that was thrown is an outage: %p',
    (thrown) => {
      expect(classifyFailure(thrown)).toMatchObject({ outcome: 'unavailable' })
    },
  )

  test.each([[null], [undefined]])('even %p', async (thrown) => {
    const broken = new Promise((_resolve, reject) => {
      ;(reject as (reason: unknown) => void)(thrown)
    })
    const transport = { sendMail: () => broken }
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    expect(await mailer.deliver(MESSAGE, TO)).toMatchObject({ outcome: 'unavailable' })
    await mailer.close()
  })
})

describe('closing', () => {
  test('takes no more mail, and waits for what is on its way', async () => {
    let finish = (): void => undefined
    const transport = {
      sendMail: () =>
        new Promise((resolve) => {
          finish = () => {
            resolve({ accepted: [TO] })
          }
        }),
    }
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    let isClosed = false
    const first = mailer.deliver(MESSAGE, TO)
    const closed = mailer.close().then(() => (isClosed = true))
    expect(await mailer.deliver(MESSAGE, TO)).toEqual({ outcome: 'unavailable', reason: 'closed' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    finish()
    expect(await first).toEqual({ outcome: 'accepted' })
    await closed
  })

  test('never closes a transporter of the host’s own', async () => {
    const close = jest.fn()
    const transport = { sendMail: () => Promise.resolve({}), close }
    await createMailer(resolveMail({ transport, from: MESSAGE.from })).close()
    expect(close).not.toHaveBeenCalled()
  })
})
