import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTransport } from 'nodemailer'
import { Mailbox } from '../../helpers/mailbox.js'
import { ManualClock, settled } from '../../helpers/manual-clock.js'
import { queueOf, sendOnce } from '../../helpers/send-queue.js'
import { isSilent, ScriptedSmtp, type SmtpScript } from '../../helpers/smtp-script.js'
import { type MailSettings, resolveMailSettings } from '../../../src/config/mail-settings.js'
import type { SmtpOptions } from '../../../src/config/options.js'
import { classifyFailure } from '../../../src/delivery/smtp/classify.js'

const TO = 'ana@example.com'
const MESSAGE = {
  from: 'no-reply@acme.example',
  to: { name: '', address: TO },
  subject: 's',
  text: 'Your code is 482915.',
}

/** A transport as this package makes it, with short timeouts where the server is silent. */
function mailTo(smtp: ScriptedSmtp, options: SmtpOptions = {}): MailSettings {
  const base = { host: '127.0.0.1', port: smtp.port }
  const short = isSilent(smtp.script) ? { socketTimeout: 400, greetingTimeout: 400 } : {}
  return resolveMailSettings({ transport: { ...base, ...short, ...options }, from: MESSAGE.from })
}

test('C6: a reply that begins with the code of the mail does not bring it into `reason`', async () => {
  const smtp = await ScriptedSmtp.listen({ end: '482915 is the code in a message that looks like spam' })
  const settings = mailTo(smtp)
  const failure = await settings.transporter.sendMail({ ...MESSAGE }).then(String, (error: unknown) => error)
  const { reason, text } = classifyFailure(failure, ['482915'])
  expect(reason).toBe('EMESSAGE DATA')
  expect(text).not.toContain('482915')
  settings.close()
  await smtp.close()
})

describe('what a mail server does, read from nodemailer’s error', () => {
  test.each<[string, SmtpScript, string, RegExp]>([
    ['greets with 421', { greeting: '421 4.3.2 not now' }, 'connect', /421/],
    ['greets with 554', { greeting: '554 5.7.1 blocked' }, 'blocked', /554/],
    ['is no mail server', { greeting: 'HTTP/1.1 400 Bad Request' }, 'connect', /EPROTOCOL CONN/],
    ['hangs up at the greeting', { greeting: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['never greets', { greeting: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
    ['greets a byte at a time', { greeting: 'trickle' }, 'connect', /ETIMEDOUT CONN/],
    ['refuses the sender', { mail: '550 5.1.8 bad sender' }, 'sender', /MAIL FROM 550/],
    ['refuses the sender for no given reason', { mail: '550 no' }, 'sender', /MAIL FROM 550/],
    ['takes no more from the sender today', { mail: '550 5.4.5 daily limit' }, 'quota', /550 5.4.5/],
    ['finds the sender too fast', { mail: '454 Throttling failure: Maximum sending rate' }, 'quota', /MAIL FROM 454/],
    ['has too many connections of the sender', { mail: '432 4.3.2 too many' }, 'quota', /MAIL FROM 432 4.3.2/],
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
    ['defers the mail', { rcpt: '451 4.7.1 greylisted' }, 'greylist', /RCPT TO 451/],
    ['defers the mail for 30 seconds', { rcpt: '451 4.7.1 wait, try again in 30 seconds' }, 'greylist', /451 4.7.1/],
    ['defers the mail and gives no enhanced code', { rcpt: '451 try again in 30 seconds' }, 'greylist', /RCPT TO 451/],
    ['is busy with the mailbox', { rcpt: '450 4.2.1 busy' }, 'greylist', /RCPT TO 450/],
    ['counts recipients', { rcpt: '452 4.5.3 recipient limit' }, 'quota', /RCPT TO 452 4.5.3/],
    ['counts recipients of a day', { rcpt: '550-5.5.3 daily limit\r\n550 5.5.3 ask' }, 'quota', /550 5.5.3/],
    ['finds us too fast', { rcpt: '421 4.7.28 rate' }, 'quota', /RCPT TO 421/],
    ['refuses the session at the recipient', { rcpt: '554 5.7.1 relay' }, 'unknown', /RCPT TO 554/],
    ['is odd for now', { data: '432 4.4.5 odd' }, 'transient', /DATA 432/],
    ['is odd', { data: '500 what' }, 'unknown', /DATA 500/],
    ['takes no message', { data: '554 5.5.1 no' }, 'unknown', /DATA 554/],
    ['dislikes the message', { end: '554 5.6.0 spam' }, 'content', /DATA 554/],
    ['finds the message too big', { end: '552 5.3.4 size' }, 'content', /DATA 552/],
    ['finds the mailbox full at last', { end: '552 5.2.2 full' }, 'mailbox-full', /DATA 552/],
    ['has counted the message too', { end: '554 5.2.0 STOREDRV limit' }, 'quota', /DATA 554 5.2.0/],
    ['has counted too many messages', { end: '550 5.2.252 too many' }, 'quota', /DATA 550 5.2.252/],
    ['wants a login for the message', { end: '550 5.7.9 log in first' }, 'auth', /DATA 550 5.7.9/],
    ['lets nobody send as the sender', { end: '550 5.7.60 no send-as right' }, 'sender', /DATA 550 5.7.60/],
    ['has no disk', { end: '452 4.3.1 disk' }, 'transient', /DATA 452/],
    ['fails for now', { end: '451 4.3.0 later' }, 'greylist', /DATA 451/],
    ['hangs up after the message', { end: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['falls silent after the message', { end: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
  ])('a server that %s', async (_what, script, kind, reason) => {
    const smtp = await ScriptedSmtp.listen(script)
    const queue = queueOf(mailTo(smtp))
    const result = await sendOnce(queue, MESSAGE, TO)
    await queue.close()
    await smtp.close()
    const outcome = kind === 'recipient' || kind === 'mailbox-full' ? 'refused' : 'unavailable'
    expect(result).toMatchObject({ outcome, failureClass: kind, reason: expect.stringMatching(reason) as string })
    expect(JSON.stringify(result)).not.toContain('@')
  })

  test('a server that takes it', async () => {
    const smtp = await ScriptedSmtp.listen()
    const queue = queueOf({ transport: smtp.url })
    expect(await sendOnce(queue, MESSAGE, TO)).toEqual({ outcome: 'accepted' })
    await queue.close()
    await smtp.close()
  })

  // nodemailer's pool tries again by itself before the greeting, and on a used connection before the message.
  test.each<[string, SmtpScript, string[], number]>([
    ['hangs up at its first greeting', { greeting: ['close'] }, ['accepted'], 1],
    ['defers the mail', { rcpt: ['451 4.7.1 greylisted, try again in 30 seconds'] }, ['greylist', 'accepted'], 1],
    ['defers the mail twice', { rcpt: ['451 4.7.1 wait', '450 4.2.0 wait'] }, ['greylist', 'greylist', 'accepted'], 1],
    ['hangs up between two', { mail: ['250 2.1.0 ok', 'close'] }, ['accepted', 'accepted'], 2],
    ['hangs up after its first message', { end: ['close'] }, ['connect', 'accepted'], 2],
  ])('a server that %s, and then takes it', async (_what, script, endings, messages) => {
    const smtp = await ScriptedSmtp.listen(script)
    const queue = queueOf(mailTo(smtp))
    const seen: string[] = []
    while (seen.length < endings.length) {
      const result = await sendOnce(queue, MESSAGE, TO)
      seen.push(result.outcome === 'accepted' ? 'accepted' : result.failureClass)
    }
    await queue.close()
    await smtp.close()
    expect(seen).toEqual(endings)
    expect(smtp.messages).toHaveLength(messages)
  })

  test('no server at all, by its port and by its name', async () => {
    for (const transport of [await ScriptedSmtp.goneUrl(), 'smtp://no.such.host.invalid']) {
      const queue = queueOf({ transport })
      expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({ outcome: 'unavailable', failureClass: 'connect' })
      await queue.close()
    }
  })

  test('a server that sends a byte now and then is given up after twenty seconds', async () => {
    const trickling = async (point: 'ehlo' | 'starttls' | 'end') => {
      const clock = new ManualClock()
      const smtp = await ScriptedSmtp.listen({ [point]: 'trickle' })
      const queue = queueOf({ transport: smtp.url }, clock)
      const sending = sendOnce(queue, MESSAGE, TO)
      await smtp.until(() => (point === 'end' ? smtp.messages.length : smtp.commands.length) > 0)
      await clock.advance(19.9)
      expect(queue.health().queue).toBe(1)
      await clock.advance(0.1)
      const result = await sending
      await queue.close()
      await smtp.close()
      return result
    }
    for (const result of await Promise.all([trickling('ehlo'), trickling('starttls'), trickling('end')])) {
      expect(result).toMatchObject({ outcome: 'unavailable', failureClass: 'aborted', reason: 'EABORT' })
    }
  })

  test('an app’s own transporter that passes the signal on to fetch() is stopped as well', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const clock = new ManualClock()
    let ended: unknown = null
    const queue = queueOf(
      {
        transport: {
          sendMail: ({ signal }) =>
            fetch(`http://127.0.0.1:${port}`, { signal: signal as AbortSignal }).catch((error: unknown) => {
              ended = error
              throw error
            }),
        },
      },
      clock,
    )
    const sending = sendOnce(queue, MESSAGE, TO)
    await clock.advance(20)
    expect(await sending).toMatchObject({ outcome: 'unavailable', failureClass: 'aborted' })
    await settled()
    expect(ended).toMatchObject({ code: 'EABORT' })
    await queue.close()
    silent.closeAllConnections()
    silent.close()
  })

  test('a signal that has ended an attempt is not given to the next one', async () => {
    const clock = new ManualClock()
    const signals: AbortSignal[] = []
    const sendMail = ({ signal }: Record<string, unknown>): Promise<unknown> => {
      signals.push(signal as AbortSignal)
      return signals.length === 2 ? new Promise(() => undefined) : Promise.resolve({ accepted: [TO] })
    }
    const queue = queueOf({ transport: { sendMail } }, clock)
    expect(await sendOnce(queue, MESSAGE, TO)).toEqual({ outcome: 'accepted' })
    const hanging = sendOnce(queue, MESSAGE, TO)
    await clock.advance(20)
    expect(await hanging).toMatchObject({ failureClass: 'aborted' })
    expect(await sendOnce(queue, MESSAGE, TO)).toEqual({ outcome: 'accepted' })
    await queue.close()
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, false]) // the first one served twice
  })

  test('an app’s own transporter is read in the same way', async () => {
    const smtp = await ScriptedSmtp.listen({ rcpt: '550 5.1.1 no such user' })
    const transport = createTransport({ host: '127.0.0.1', port: smtp.port, ignoreTLS: true })
    const queue = queueOf({ transport })
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({ outcome: 'refused' })
    await queue.close()
    await smtp.close()
  })
})

describe('TLS and login', () => {
  const LOGIN = { auth: { user: 'acme', pass: 'hunter2hunter2' } }
  const UNTRUSTED = { tls: { rejectUnauthorized: false } }
  // Another name for loopback, so that the server is reached but does not count as this machine: TLS is required.
  const ELSEWHERE = { host: '0.0.0.0' }
  const ENCRYPTED = { ...ELSEWHERE, ...UNTRUSTED, ...LOGIN }
  const HARMLESS = /^(EHLO \S+\r\n|STARTTLS\r\n)*$/

  test.each<[string, SmtpScript, string, RegExp]>([
    ['has no TLS at the moment', { starttls: '454 4.7.0 TLS not available' }, 'tls', /ETLS STARTTLS 454 4.7.0/],
    ['offers STARTTLS and does not know it', { starttls: '502 5.5.1 what' }, 'tls', /ETLS STARTTLS 502 5.5.1/],
    ['hides STARTTLS', {}, 'tls', /ETLS STARTTLS 502 5.5.1/],
    ['hangs up at STARTTLS', { starttls: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['is silent at STARTTLS', { starttls: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
    ['never shakes hands', { starttls: '220 go on' }, 'connect', /ETIMEDOUT|ESOCKET/],
    [
      'answers ahead of TLS',
      { starttls: '220 go on\r\n250 hello\r\n235 in\r\n250 ok' },
      'connect',
      /ETIMEDOUT|ESOCKET/,
    ],
    ['has a bad certificate', { starttls: 'upgrade' }, 'tls', /ESOCKET CONN/],
  ])('a server that %s gets neither login nor code', async (_what, script, kind, reason) => {
    const smtp = await ScriptedSmtp.listen({ auth: '235 2.7.0 ok', ...script })
    const queue = queueOf(mailTo(smtp, { ...ELSEWHERE, ...LOGIN }))
    const result = await sendOnce(queue, MESSAGE, TO)
    await queue.close()
    await smtp.close()
    expect(result).toMatchObject({
      outcome: 'unavailable',
      failureClass: kind,
      reason: expect.stringMatching(reason) as string,
    })
    expect(smtp.inClear.join('')).toMatch(HARMLESS)
    expect(smtp.messages).toEqual([])
  })

  test.each<[string, SmtpScript, string, RegExp]>([
    ['refuses the password', { auth: '535 5.7.8 bad credentials' }, 'auth', /EAUTH AUTH PLAIN 535 5.7.8/],
    ['cannot check the password', { auth: '454 4.7.0 later' }, 'auth', /EAUTH AUTH PLAIN 454 4.7.0/],
    ['hangs up at the password', { auth: 'close' }, 'connect', /ECONNECTION|ESOCKET/],
    ['is silent at the password', { auth: 'hang' }, 'connect', /ETIMEDOUT|ESOCKET/],
    ['takes the password, and asks for a login', { auth: '235 ok', mail: '530 5.7.0 log in' }, 'auth', /MAIL FROM 530/],
  ])('a server that %s: in TLS, and nothing in clear', async (_what, script, kind, reason) => {
    const smtp = await ScriptedSmtp.listen({ starttls: 'upgrade', ...script })
    const queue = queueOf(mailTo(smtp, ENCRYPTED))
    const result = await sendOnce(queue, MESSAGE, TO)
    await queue.close()
    await smtp.close()
    expect(result).toMatchObject({
      outcome: 'unavailable',
      failureClass: kind,
      reason: expect.stringMatching(reason) as string,
    })
    expect(smtp.inClear.join('')).toMatch(HARMLESS)
    expect(smtp.messages).toEqual([])
  })

  test.each([
    ['PLAIN', false],
    ['LOGIN', false],
    ['PLAIN', true],
  ])('a login by %s and the mail go through TLS, from the first byte: %p', async (authMethod, secure) => {
    const smtp = await ScriptedSmtp.listen({ starttls: 'upgrade', auth: '235 2.7.0 ok' }, { secure })
    const queue = queueOf(mailTo(smtp, { ...ENCRYPTED, authMethod, secure }))
    expect(await sendOnce(queue, MESSAGE, TO)).toEqual({ outcome: 'accepted' })
    await queue.close()
    await smtp.close()
    expect(smtp.commands.join()).toContain(`AUTH ${authMethod}`)
    expect(smtp.inClear).toEqual([expect.stringMatching(secure ? /^$/ : /^EHLO \S+\r\nSTARTTLS\r\n$/)])
    expect(smtp.messages.join()).toContain('482915')
  })

  test('a server that has another certificate than it should, from the first byte', async () => {
    const smtp = await ScriptedSmtp.listen({}, { secure: true })
    const queue = queueOf({ transport: smtp.url })
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({
      outcome: 'unavailable',
      failureClass: 'tls',
      reason: 'ESOCKET CONN',
    })
    await queue.close()
    await smtp.close()
    expect(smtp.commands).toEqual([])
  })

  test('a server that knows no current TLS', async () => {
    const old = { secure: true, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const
    const mailbox = await new Mailbox(old).listen()
    const transport = { host: '127.0.0.1', port: Number(new URL(mailbox.url).port), secure: true, ...UNTRUSTED }
    const queue = queueOf({ transport })
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({ outcome: 'unavailable', failureClass: 'tls' })
    expect(mailbox.received).toHaveLength(0)
    await queue.close()
    await mailbox.close()
  })

  // By itself nodemailer would send without it, and say nothing.
  test.each<[string, SmtpScript, SmtpOptions]>([
    ['in clear on this machine', {}, LOGIN],
    ['in TLS', { starttls: 'upgrade' }, ENCRYPTED],
    ['in TLS, with the method set', { starttls: 'upgrade' }, { ...ENCRYPTED, authMethod: 'LOGIN' }],
    ['in TLS, though it could', { starttls: 'upgrade', ehlo: '250 scripted.example' }, ENCRYPTED],
  ])('a server that offers no login, where one is set, gets no mail, %s', async (_how, script, options) => {
    const smtp = await ScriptedSmtp.listen(script)
    const queue = queueOf(mailTo(smtp, options))
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({
      outcome: 'unavailable',
      failureClass: expect.stringMatching(/auth|tls/) as string,
    })
    await queue.close()
    await smtp.close()
    expect(smtp.messages).toEqual([])
    expect(smtp.recipients).toEqual([])
  })
})

test('a server that offers STARTTLS and refuses it gets nothing in clear, even where the app’s options would allow it', async () => {
  const smtp = await ScriptedSmtp.listen({ starttls: '454 4.7.0 TLS not available', auth: '235 2.7.0 ok' })
  const login = { auth: { user: 'acme', pass: 'hunter2hunter2' } }
  const queue = queueOf(mailTo(smtp, { ...login, opportunisticTLS: true }))
  expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({ outcome: 'unavailable', failureClass: 'tls' })
  await queue.close()
  await smtp.close()
  expect(smtp.inClear.join('')).toMatch(/^(EHLO \S+\r\n|STARTTLS\r\n)*$/)
})

describe('classes that only an error can show', () => {
  test.each<[string, object]>([
    ['config', { code: 'ECONFIG' }],
    ['config', { code: 'ENOAUTH', command: 'API' }],
    ['config', { code: 'EOTP' }],
    ['config', { code: 'EFILEACCESS' }],
    ['config', { code: 'EURLACCESS' }],
    ['config', { code: 'EOTHER', command: 'API' }],
    ['tls', { code: 'EREQUIRETLS' }],
    ['tls', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
    ['tls', { code: 'CERT_HAS_EXPIRED' }],
    ['connect', { code: 'EDNS' }],
    ['unknown', {}],
  ])('%s: %j', (kind, error) => {
    expect(classifyFailure(Object.assign(new Error('x'), error))).toMatchObject({ failureClass: kind })
  })

  test('the text of a reply makes no other class than its codes allow', () => {
    const response = '550 5.1.1 certificate throttling limit try again SSL routines'
    const error = { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response }
    expect(classifyFailure(error)).toMatchObject({ outcome: 'refused', failureClass: 'recipient' })
  })
})

describe('the failure', () => {
  test('never repeats an address or a code that the server said: the reason is codes alone, the text is redacted', () => {
    const error = Object.assign(new Error('550 <ana@example.com> unknown, code 482915'), {
      code: 'EENVELOPE',
      command: 'RCPT TO',
      responseCode: 550,
      response: '550 <ana@example.com> unknown, code 482915',
    })
    expect(classifyFailure(error)).toMatchObject({
      outcome: 'refused',
      failureClass: 'recipient',
      reason: 'EENVELOPE RCPT TO 550',
      text: '550 <•••> unknown, code ••••',
    })
  })

  test('is redacted within milliseconds, however long the reply', () => {
    for (const filler of ['a', '1 ', '@', 'in ', ' ']) {
      const response = `554 ${filler.repeat(1_000_000)}`
      expect(classifyFailure({ responseCode: 554, response }).text.length).toBeLessThanOrEqual(201)
    }
    const response = `554 ${'x '.repeat(994)}ana@example.com` // its end falls amid the address
    expect(classifyFailure({ responseCode: 554, response }, ['ana@example.com']).text).not.toContain('ana')
  })

  test('is read from the one recipient’s own error when nodemailer reports all as refused', () => {
    const one = Object.assign(new Error('no'), { command: 'RCPT TO', responseCode: 550 })
    const all = Object.assign(new Error('all refused'), { code: 'EENVELOPE', rejectedErrors: [one] })
    expect(classifyFailure(all)).toMatchObject({ outcome: 'refused', failureClass: 'recipient', reason: 'RCPT TO 550' })
  })

  test.each([['text'], [7], [true], [new Error('odd')], [{ responseCode: '550', command: 'RCPT TO' }]])(
    'anything else that was thrown is an outage: %p',
    (thrown) => {
      expect(classifyFailure(thrown)).toMatchObject({ outcome: 'unavailable' })
    },
  )

  test.each([[null], [undefined]])('even %p', async (thrown) => {
    const broken = new Promise((_resolve, reject) => {
      ;(reject as (reason: unknown) => void)(thrown)
    })
    const transport = { sendMail: () => broken }
    const queue = queueOf({ transport })
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({ outcome: 'unavailable' })
    await queue.close()
  })
})

describe('closing', () => {
  test('takes no more mail, and waits for the attempt under way', async () => {
    let finish = (): void => undefined
    const transport = {
      sendMail: () =>
        new Promise((resolve) => {
          finish = () => {
            resolve({ accepted: [TO] })
          }
        }),
    }
    const queue = queueOf({ transport })
    let isClosed = false
    const first = sendOnce(queue, MESSAGE, TO)
    const closed = queue.close().then(() => (isClosed = true))
    expect(await sendOnce(queue, MESSAGE, TO)).toMatchObject({
      outcome: 'unavailable',
      failureClass: 'connect',
      reason: 'closed',
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    finish()
    expect(await first).toEqual({ outcome: 'accepted' })
    await closed
  })

  test('fails the attempt under way, and what waits for a connection, when the pool is closed', async () => {
    const smtp = await ScriptedSmtp.listen({ end: 'hang' })
    const settings = mailTo(smtp, { pool: true, maxConnections: 1, socketTimeout: 30_000 })
    const queue = queueOf(settings)
    const results = [sendOnce(queue, MESSAGE, TO), sendOnce(queue, MESSAGE, TO)]
    await smtp.until(() => smtp.messages.length === 1)
    settings.close()
    expect(await Promise.all(results)).toMatchObject([
      { outcome: 'unavailable', failureClass: 'connect' },
      { outcome: 'unavailable', failureClass: 'connect' },
    ])
    await queue.close()
    await smtp.close()
    expect(smtp.connections).toBe(1)
    expect(smtp.messages).toHaveLength(1)
  })

  test('never closes the app’s own transporter', async () => {
    const close = jest.fn()
    const transport = { sendMail: () => Promise.resolve({}), close }
    await queueOf({ transport }).close()
    expect(close).not.toHaveBeenCalled()
  })
})
