import { ANA, HostApp } from '../helpers/host-app.js'
import { Mailbox } from '../helpers/mailbox.js'
import { queueOf, sendOnce } from '../helpers/send-queue.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'
import type * as MailSettingsModule from '../../src/config/mail-settings.js'
import { resolveMailSettings } from '../../src/config/mail-settings.js'
import { isLoopback } from '../../src/config/smtp-options.js'
import { OtpError, type OtpOptions } from '../../src/index.js'

type Mail = OtpOptions['mail']
const FROM = 'Acme <no-reply@acme.example>'

/** What nodemailer was given in the end. */
function optionsOf(transport: Mail['transport']): Record<string, unknown> {
  const { transporter, close } = resolveMailSettings({ transport, from: FROM })
  close()
  return (transporter as unknown as { options: Record<string, unknown> }).options
}

function refusal(mail: unknown): OtpError {
  try {
    resolveMailSettings(mail as Mail)
  } catch (error) {
    if (error instanceof OtpError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('TLS', () => {
  test.each<[string, Mail['transport'], boolean]>([
    ['a URL of another machine', 'smtp://mail.example:587', true],
    ['a URL with a login', 'smtp://user:pass@mail.example', true],
    ['a name that only begins like this machine', 'smtp://localhost.mail.example', true],
    ['an address that only begins like this machine', 'smtp://127.0.0.1.mail.example', true],
    ['options of another machine', { host: 'mail.example' }, true],
    ['options that ask to do without', { host: 'mail.example', requireTLS: false }, true],
    ['options that ask to ignore it', { host: 'mail.example', ignoreTLS: true }, true],
    ['a service by name', { service: 'gmail' }, true],
    ['this machine', 'smtp://localhost:2525', false],
    ['this machine by IPv4', 'smtp://127.0.0.1:2525', false],
    ['this machine by IPv6', 'smtp://[::1]:2525', false],
    ['TLS from the first byte', 'smtps://mail.example', false],
    ['TLS from the first byte by options', { host: 'mail.example', secure: true }, false],
  ])('%s: STARTTLS is required: %p', (_what, transport, isRequired) => {
    expect(optionsOf(transport).requireTLS).toBe(isRequired)
  })

  test('smtps is TLS from the first byte, and nothing below TLS 1.2 will do', () => {
    expect(optionsOf('smtps://mail.example')).toMatchObject({ secure: true, tls: { minVersion: 'TLSv1.2' } })
    expect(optionsOf('smtp://mail.example')).toMatchObject({ secure: false, tls: { minVersion: 'TLSv1.2' } })
  })

  test('a server without STARTTLS that is not this machine never gets the code', async () => {
    // Another name for loopback, so that the server is reached but does not count as this machine.
    const smtp = await ScriptedSmtp.listen()
    const transport = { host: '0.0.0.0', port: smtp.port }
    const host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    const jar = await host.signedIn(ANA)
    await jar.post('/2fa/send').send({}).expect(503)
    await host.close()
    await smtp.close()
    expect(smtp.commands).toContain('STARTTLS')
    expect(smtp.recipients).toEqual([])
    expect(smtp.messages).toEqual([])
  })

  test('neither does one that answers STARTTLS with a refusal and goes on in clear', async () => {
    const smtp = await ScriptedSmtp.listen({ ehlo: '250-scripted.example\r\n250 STARTTLS' })
    const { transporter, close } = resolveMailSettings({
      transport: { host: '0.0.0.0', port: smtp.port, ignoreTLS: true, opportunisticTLS: true },
      from: FROM,
    })
    const message = { from: FROM, to: ANA.email, text: 'the code' }
    await expect(transporter.sendMail(message)).rejects.toMatchObject({ code: 'ETLS' })
    close()
    await smtp.close()
    expect(smtp.messages).toEqual([])
  })

  describe('`allowInsecureSmtp`', () => {
    /** The warnings of a new process that starts with each of these in turn. */
    const warned = (...starts: Partial<Mail>[]): string[] => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
      jest.isolateModules(() => {
        const fresh = jest.requireActual<typeof MailSettingsModule>('../../src/config/mail-settings.js')
        for (const mail of starts) {
          fresh.resolveMailSettings({ transport: 'smtp://mail.example', from: FROM, ...mail }).close()
        }
      })
      const warnings = warn.mock.calls.map(([warning]) => String(warning))
      warn.mockRestore()
      return warnings
    }

    test('is the only way to send in clear beyond this machine, and warns once in a process', async () => {
      const smtp = await ScriptedSmtp.listen()
      const transport = { host: '0.0.0.0', port: smtp.port }
      const queue = queueOf({ transport, allowInsecureSmtp: true })
      const to = { name: '', address: 'ana@example.com' }
      const sent = await sendOnce(queue, { from: FROM, to, subject: 's', text: 't' }, to.address)
      await queue.close()
      await smtp.close()
      expect(sent).toEqual({ outcome: 'accepted' })
      expect(warned({ allowInsecureSmtp: true }, { allowInsecureSmtp: true })).toEqual([
        'mail.allowInsecureSmtp is set: codes and login are sent to mail.example in clear text unless it offers STARTTLS. ' +
          'See docs/troubleshooting.md#otp_insecure_smtp.',
      ])
    })

    test('still uses STARTTLS that is offered, and trusts no bad certificate', async () => {
      const mailbox = await new Mailbox({ disabledCommands: [] }).listen()
      const transport = { host: '0.0.0.0', port: Number(new URL(mailbox.url).port) }
      const queue = queueOf({ transport, allowInsecureSmtp: true })
      const to = { name: '', address: 'ana@example.com' }
      const sent = await sendOnce(queue, { from: FROM, to, subject: 's', text: 't' }, to.address)
      await queue.close()
      await mailbox.close()
      expect(sent).toMatchObject({ outcome: 'unavailable', failureClass: 'tls' })
      expect(mailbox.received).toHaveLength(0)
    })

    test('says nothing where it changes nothing', () => {
      for (const transport of ['smtps://mail.example', 'smtp://localhost:2525'])
        expect(warned({ transport, allowInsecureSmtp: true })).toEqual([])
      expect(warned({ allowInsecureSmtp: false })).toEqual([])
    })

    test('is refused beside a transporter of the host’s own, and as anything but true or false', () => {
      const own = refusal({ transport: { sendMail: () => Promise.resolve({}) }, from: FROM, allowInsecureSmtp: true })
      expect(own.message).toMatch(/`mail.allowInsecureSmtp`.*Leave it out/)
      const odd = 'yes' as unknown as boolean
      expect(refusal({ transport: 'smtp://mail.example', from: FROM, allowInsecureSmtp: odd }).message).toContain('yes')
    })
  })

  test('options that hide the machine in a URL are refused: it could not be told whether TLS is needed', () => {
    const error = refusal({ transport: { url: 'smtp://user:pass@mail.example' }, from: FROM })
    expect(error.message).toContain('`mail.transport.url`')
    expect(error.message).not.toContain('pass@')
  })

  test.each([
    ['localhost', true],
    ['LOCALHOST', true],
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['localhost.example', false],
    ['127.0.0.1.example', false],
    ['128.0.0.1', false],
    ['', false],
  ])('%p is this machine: %p', (name, is) => {
    expect(isLoopback(name)).toBe(is)
  })
})

describe('what is not left to chance', () => {
  test('files and URLs are never read into a mail, connections are pooled, and waiting ends within seconds', () => {
    const options = optionsOf('smtp://user%40acme:p%2Fss@mail.example:587')
    expect(options).toMatchObject({
      host: 'mail.example',
      port: 587,
      auth: { user: 'user@acme', pass: 'p/ss' },
      pool: true,
      maxConnections: 3,
      disableFileAccess: true,
      disableUrlAccess: true,
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      dnsTimeout: 10_000,
      socketTimeout: 15_000,
    })
  })

  test('a host may shorten the waiting, but not open files or URLs', () => {
    const transport = {
      host: 'mail.example',
      socketTimeout: 700,
      disableFileAccess: false,
      disableUrlAccess: false,
    }
    expect(optionsOf(transport)).toMatchObject({
      socketTimeout: 700,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  })

  test('the options of the host are not touched', () => {
    const transport = Object.freeze({
      host: 'mail.example',
      tls: Object.freeze({ servername: 'mx.example' }),
    })
    const headers = Object.freeze({ 'X-Mailer-Id': 'acme' })
    const mail = Object.freeze({ transport, from: FROM, headers })
    const before = JSON.stringify(mail)
    const { close } = resolveMailSettings(mail)
    close()
    expect(JSON.stringify(mail)).toBe(before)
  })

  test.each(['debug', 'logger', 'transactionLog'])('`%s` is refused: it writes codes into the log', (name) => {
    const error = refusal({ transport: { host: 'mail.example', [name]: true }, from: FROM })
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain(`\`mail.transport.${name}\``)
    expect(error.message).toContain('Leave it out')
  })

  test.each<[string, object]>([
    ['sendmail', { sendmail: true, path: '/usr/sbin/sendmail' }],
    ['jsonTransport', { jsonTransport: true }],
    ['streamTransport', { streamTransport: true }],
    ['SES', { SES: {} }],
    ['send', { name: 'plugin', send: () => undefined }],
  ])('A3: `%s` is refused at start, with the cure: it would become SMTP', (name, transport) => {
    const error = refusal({ transport, from: FROM })
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain(`\`mail.transport.${name}\``)
    expect(error.message).toContain('pass `nodemailer.createTransport(…)`')
  })

  test('options that switch other transports off are SMTP', () => {
    expect(optionsOf({ host: 'mail.example', sendmail: false } as object)).toMatchObject({ host: 'mail.example' })
  })

  test('a transporter of the host’s own is used as it is', () => {
    const transport = { sendMail: () => Promise.resolve({}) }
    expect(resolveMailSettings({ transport, from: FROM }).transporter).toBe(transport)
  })
})

describe('A4: headers that a host configures', () => {
  test.each<[string, Partial<Mail>]>([
    ['mail.from', { from: 'Acme\r\nBcc: evil@example.com <no-reply@acme.example>' }],
    ['mail.from', { from: 'Acme\u0000 <no-reply@acme.example>' }],
    ['mail.replyTo', { replyTo: 'help@acme.example\nBcc: evil@example.com' }],
    ['mail.headers.X-Acme', { headers: { 'X-Acme': 'a\r\nBcc: evil@example.com' } }],
    ['mail.headers.X-Acme', { headers: { 'X-Acme': 'a\u0085b' } }],
    ['mail.headers', { headers: { 'X-Acme\r\nBcc': 'evil@example.com' } }],
    ['mail.headers', { headers: { 'X Acme': 'a' } }],
    ['mail.headers', { headers: { 'X-Acme:': 'a' } }],
    ['mail.headers', { headers: { '': 'a' } }],
  ])('A4: %s with controls or an odd name throws at start: %j', (option, mail) => {
    const error = refusal({ transport: 'smtp://localhost', from: FROM, ...mail })
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain(`\`${option}\``)
  })

  test.each([
    ['two', 'a@acme.example, b@acme.example'],
    ['a group', 'Acme: a@acme.example, b@acme.example;'],
    ['none', 'Acme'],
    ['a hostile one', '"a@acme.example x"@acme.example'],
  ])('A4: a sender that names %s throws at start', (_what, from) => {
    expect(refusal({ transport: 'smtp://localhost', from }).message).toContain('Give one address')
  })

  test.each(['To', 'cc', 'BCC', 'From', 'Sender', 'Reply-To', 'Subject', 'Message-ID', 'Content-Type', 'OTP-Token'])(
    'A4: `mail.headers` cannot set %s, which the mail has of its own',
    (name) => {
      const error = refusal({
        transport: 'smtp://localhost',
        from: FROM,
        headers: { [name]: 'evil@example.com' },
      })
      expect(error.message).toContain('`mail.headers`')
    },
  )
})

describe('misconfiguration', () => {
  test.each<[string, unknown, string]>([
    ['mail', undefined, 'missing'],
    ['mail', 'smtp://user:hunter2hunter2@mail.example', 'Give an object'],
    ['mail.transport', { transport: undefined, from: FROM }, 'SMTP URL'],
    ['mail.transport', { transport: null, from: FROM }, 'SMTP URL'],
    ['mail.transport', { transport: 25, from: FROM }, 'SMTP URL'],
    ['mail.transport', { transport: 'mail.example:25', from: FROM }, 'smtps://user:password@mail.example:465'],
    ['mail.transport', { transport: 'http://user:hunter2hunter2@mail.example', from: FROM }, 'smtps://'],
    ['mail.transport', { transport: 'smtp://mail.example?pool=true&x=hunter2hunter2', from: FROM }, 'query'],
    ['mail.transport', { transport: 'smtp://us%er:hunter2hunter2@mail.example', from: FROM }, 'percent-encode'],
    ['mail.from', { transport: 'smtp://localhost' }, 'missing'],
    ['mail.from', { transport: 'smtp://localhost', from: '' }, 'text'],
    ['mail.replyTo', { transport: 'smtp://localhost', from: FROM, replyTo: 'nobody' }, 'Give one address'],
    ['mail.headers', { transport: 'smtp://localhost', from: FROM, headers: null }, 'Give an object'],
    ['mail.headers', { transport: 'smtp://localhost', from: FROM, headers: 'X-Acme: 1' }, 'Give an object'],
    ['mail.form', { transport: 'smtp://localhost', form: FROM }, 'Did you mean "from"?'],
  ])('option %s is named with its cure and no password: %j', (option, mail, cure) => {
    const error = refusal(mail)
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain(`\`${option}\``)
    expect(error.message).toContain(cure)
    expect(error.message).not.toContain('hunter2')
  })

  test('after closing, nothing more is sent', async () => {
    const smtp = await ScriptedSmtp.listen()
    const queue = queueOf({ transport: smtp.url })
    await queue.close()
    expect(await sendOnce(queue, { from: FROM, to: ANA.email, text: 't' }, ANA.email)).toMatchObject({
      outcome: 'unavailable',
    })
    await smtp.close()
    expect(smtp.connections).toBe(0)
  })
})
