import { createTransport } from 'nodemailer'
import type { SMTPServerOptions } from 'smtp-server'
import { createMailer } from '../../src/mail/delivery.js'
import { classifyFailure } from '../../src/mail/failure.js'
import { resolveMail } from '../../src/mail/transport.js'
import { Mailbox } from '../helpers/mailbox.js'
import { ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'

const LOGIN = { tls: { rejectUnauthorized: false }, auth: { user: 'u', pass: 'p' } }
const loginEnds = (responseCode: number, words: string): SMTPServerOptions => ({
  onAuth: (_auth, _session, done) => {
    done(Object.assign(new Error(words), { responseCode }))
  },
})

const TO = 'ana@example.com'
const MESSAGE = { from: 'no-reply@acme.example', to: { name: '', address: TO }, subject: 's', text: 't' }

describe('what a mail server does, read from what nodemailer reports', () => {
  test.each<[string, SmtpScript, string, RegExp]>([
    ['is shut with 421', { greeting: '421 4.3.2 not now' }, 'connect', /421/],
    ['is shut with 554', { greeting: '554 5.7.1 blocked' }, 'blocked', /554/],
    ['is none', { greeting: 'HTTP/1.1 400 Bad Request' }, 'connect', /EPROTOCOL CONN/],
    ['hangs up at the greeting', { greeting: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['never greets', { greeting: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
    ['refuses the sender', { mail: '550 5.1.8 bad sender' }, 'sender', /MAIL FROM 550/],
    ['refuses the sender for no given reason', { mail: '550 no' }, 'sender', /MAIL FROM 550/],
    ['takes no more from the sender today', { mail: '550 5.4.5 daily limit' }, 'quota', /550 5.4.5/],
    ['has no disk for the sender', { mail: '452 4.3.1 disk' }, 'transient', /MAIL FROM 452/],
    ['asks for a login', { mail: '530 5.7.0 log in' }, 'auth', /530/],
    ['does not know the mailbox', { rcpt: '550 5.1.1 no such user' }, 'recipient', /RCPT TO 550/],
    ['does not know the mailbox, and says no more', { rcpt: '550 no such user' }, 'recipient', /RCPT TO 550/],
    ['knows a newer mailbox', { rcpt: '551 5.1.6 moved' }, 'recipient', /RCPT TO 551/],
    ['has no room in the mailbox', { rcpt: '552 5.2.2 full' }, 'mailbox-full', /RCPT TO 552/],
    ['has no room at the moment', { rcpt: '452 4.2.2 full' }, 'mailbox-full', /RCPT TO 452/],
    ['has no room, and says no more', { rcpt: '452 full' }, 'mailbox-full', /RCPT TO 452/],
    ['has no disk for the mailbox', { rcpt: '452 4.3.1 disk' }, 'transient', /RCPT TO 452/],
    ['does not like the name', { rcpt: '553 5.1.3 bad name' }, 'recipient', /RCPT TO 553/],
    ['wants to be asked again', { rcpt: '451 4.7.1 greylisted' }, 'greylist', /RCPT TO 451/],
    ['wants to be asked in a while', { rcpt: '451 try again in 30 seconds' }, 'greylist', /RCPT TO 451/],
    ['is busy with the mailbox', { rcpt: '450 4.2.1 busy' }, 'greylist', /RCPT TO 450/],
    ['finds us too quick', { rcpt: '421 4.7.28 rate' }, 'quota', /RCPT TO 421/],
    ['refuses the session at the recipient', { rcpt: '554 5.7.1 relay' }, 'unknown', /RCPT TO 554/],
    ['takes no message', { data: '554 5.5.1 no' }, 'unknown', /DATA 554/],
    ['dislikes the message', { end: '554 5.6.0 spam' }, 'content', /DATA 554/],
    ['finds the message too big', { end: '552 5.3.4 size' }, 'content', /DATA 552/],
    ['finds the mailbox full at last', { end: '552 5.2.2 full' }, 'mailbox-full', /DATA 552/],
    ['has no disk', { end: '452 4.3.1 disk' }, 'transient', /DATA 452/],
    ['fails for now', { end: '451 4.3.0 later' }, 'greylist', /DATA 451/],
    ['hangs up after the message', { end: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['falls silent after the message', { end: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
  ])('a server that %s', async (_what, script, kind, reason) => {
    const smtp = await ScriptedSmtp.listen(script)
    const transport = { host: '127.0.0.1', port: smtp.port, socketTimeout: 400, greetingTimeout: 400 }
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    const delivery = await mailer.deliver(MESSAGE, TO)
    await mailer.close()
    await smtp.close()
    const outcome = kind === 'recipient' || kind === 'mailbox-full' ? 'refused' : 'unavailable'
    expect(delivery).toEqual({ outcome, class: kind, reason: expect.stringMatching(reason) as string })
    expect(JSON.stringify(delivery)).not.toMatch(/user|spam|room|@/)
  })

  test('a server that takes it', async () => {
    const smtp = await ScriptedSmtp.listen()
    const mailer = createMailer(resolveMail({ transport: smtp.url, from: MESSAGE.from }))
    expect(await mailer.deliver(MESSAGE, TO)).toEqual({ outcome: 'accepted' })
    await mailer.close()
    await smtp.close()
  })

  test.each<[string, string, object, object]>([
    ['has a bad certificate', 'tls', { secure: true }, { secure: true }],
    ['has a bad certificate behind STARTTLS', 'tls', {}, { requireTLS: true }],
    [
      'knows no TLS of today',
      'tls',
      { secure: true, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' },
      { secure: true, tls: { minVersion: 'TLSv1.2', rejectUnauthorized: false } },
    ],
    ['hides STARTTLS', 'tls', { disabledCommands: ['STARTTLS'] }, { requireTLS: true }],
    ['refuses the password', 'auth', loginEnds(535, '5.7.8 bad'), LOGIN],
    ['cannot look at the password', 'auth', loginEnds(454, '4.7.0 later'), LOGIN],
  ])('a server that %s', async (_what, kind, server, options) => {
    const mailbox = await new Mailbox({ disabledCommands: [], ...server }).listen()
    const port = Number(new URL(mailbox.url).port)
    const transport = createTransport({ host: '127.0.0.1', port, pool: true, ...options })
    const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
    expect(await mailer.deliver(MESSAGE, TO)).toMatchObject({ outcome: 'unavailable', class: kind })
    expect(mailbox.received).toHaveLength(0)
    transport.close()
    await mailer.close()
    await mailbox.close()
  })

  test('no server at all, by its port and by its name', async () => {
    for (const transport of [await ScriptedSmtp.goneUrl(), 'smtp://no.such.host.invalid']) {
      const mailer = createMailer(resolveMail({ transport, from: MESSAGE.from }))
      expect(await mailer.deliver(MESSAGE, TO)).toMatchObject({ outcome: 'unavailable', class: 'connect' })
      await mailer.close()
    }
  })

  test('a server that trickles is given up after twenty seconds, though its line never falls silent', async () => {
    const smtp = await ScriptedSmtp.listen({ end: 'trickle' })
    const mailer = createMailer(resolveMail({ transport: smtp.url, from: MESSAGE.from }))
    const delivery = await mailer.deliver(MESSAGE, TO)
    await mailer.close()
    await smtp.close()
    expect(delivery).toMatchObject({ outcome: 'unavailable', class: 'aborted', reason: 'EABORT' })
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

describe('rows that only an error can show', () => {
  test.each<[string, object]>([
    ['config', { code: 'ECONFIG' }],
    ['config', { code: 'ENOAUTH', command: 'API' }],
    ['config', { code: 'EOTP' }],
    ['config', { code: 'EFILEACCESS' }],
    ['config', { code: 'EURLACCESS' }],
    ['config', { code: 'EOTHER', command: 'API' }],
    ['tls', { code: 'ETLS', command: 'STARTTLS', responseCode: 454, response: '454 4.7.0 TLS not available' }],
    ['tls', { code: 'EREQUIRETLS' }],
    ['tls', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
    ['tls', { code: 'CERT_HAS_EXPIRED' }],
    ['auth', { responseCode: 535, response: '535 5.7.8 bad' }],
    ['auth', { code: 'EMESSAGE', command: 'DATA', responseCode: 550, response: '550 5.7.9 log in first' }],
    ['quota', { command: 'RCPT TO', responseCode: 452, response: '452 4.5.3 recipient limit' }],
    ['quota', { command: 'RCPT TO', responseCode: 550, response: '550-5.5.3 daily limit\r\n550 5.5.3 ask' }],
    ['quota', { code: 'EMESSAGE', command: 'DATA', responseCode: 554, response: '554 5.2.0 STOREDRV limit' }],
    ['quota', { code: 'EMESSAGE', command: 'DATA', responseCode: 550, response: '550 5.2.252 too many' }],
    ['quota', { command: 'MAIL FROM', responseCode: 454, response: '454 Throttling failure: Maximum sending rate' }],
    ['quota', { command: 'MAIL FROM', responseCode: 432, response: '432 4.3.2 too many connections' }],
    ['sender', { code: 'EMESSAGE', command: 'DATA', responseCode: 550, response: '550 5.7.60 no send-as right' }],
    ['connect', { message: 'Connection pool was closed' }],
    ['connect', { code: 'EDNS' }],
    ['transient', { command: 'DATA', responseCode: 432, response: '432 4.4.5 odd' }],
    ['unknown', { command: 'DATA', responseCode: 500, response: '500 what' }],
    ['unknown', {}],
  ])('%s: %j', (kind, error) => {
    expect(classifyFailure(Object.assign(new Error('x'), error))).toMatchObject({ class: kind })
  })

  test('words of a server make no other class than its codes allow', () => {
    const words = '550 5.1.1 certificate throttling limit try again SSL routines'
    const error = { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: words }
    expect(classifyFailure(error)).toMatchObject({ outcome: 'refused', class: 'recipient' })
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
    expect(classifyFailure(error)).toEqual({ outcome: 'refused', class: 'recipient', reason: 'EENVELOPE RCPT TO 550' })
  })

  test('is read from the one recipient’s own error when nodemailer reports all as refused', () => {
    const one = Object.assign(new Error('no'), { command: 'RCPT TO', responseCode: 550 })
    const all = Object.assign(new Error('all refused'), { code: 'EENVELOPE', rejectedErrors: [one] })
    expect(classifyFailure(all)).toEqual({ outcome: 'refused', class: 'recipient', reason: 'RCPT TO 550' })
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
    expect(await mailer.deliver(MESSAGE, TO)).toEqual({ outcome: 'unavailable', class: 'connect', reason: 'closed' })
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
