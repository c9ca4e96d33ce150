import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import getTLSOptions from 'smtp-server/lib/tls-options'
import { CERTIFICATE, KEY } from '../../helpers/certificate.js'
import { worldOf } from '../../helpers/mail-world.js'
import { ScriptedSmtp, type SmtpScript } from '../../helpers/smtp-script.js'
import { diagnose } from '../../../src/cli/doctor/diagnose.js'
import type { Diagnosis } from '../../../src/cli/doctor/diagnosis.js'
import type { OtpOptions } from '../../../src/index.js'

type Transport = OtpOptions['mail']['transport']

const SMTP_CHECKS = ['connection', 'tls', 'capabilities', 'login', 'sender']
const AUTH = { user: 'ana', pass: 'correct horse' }
/** Another name of this machine, which does not count as it: TLS is required. */
const ELSEWHERE = '0.0.0.0'

let server: ScriptedSmtp | SMTPServer | null = null

afterEach(async () => {
  if (server instanceof ScriptedSmtp) await server.close()
  else if (server) await new Promise<void>((resolve) => void (server as SMTPServer).close(resolve))
  server = null
})

async function examine(transport: Transport, options: { mail?: object; stepTimeoutMs?: number } = {}) {
  const mail = { transport, from: 'Acme <no-reply@acmecodes.net>', ...options.mail }
  const subject = { mail, site: { name: 'Acme', origin: 'https://acmecodes.net' }, dkimSelector: null }
  const diagnoses = await diagnose(subject, worldOf({ stepTimeoutMs: options.stepTimeoutMs ?? 10_000 }))
  return diagnoses.filter(({ check }) => SMTP_CHECKS.includes(check))
}

async function scripted(script: SmtpScript): Promise<ScriptedSmtp> {
  const smtp = await ScriptedSmtp.listen(script)
  server = smtp
  return smtp
}

async function listening(options: SMTPServerOptions): Promise<number> {
  const smtp = new SMTPServer({ logger: false, authOptional: true, ...options })
  smtp.on('error', () => undefined) // clients hang up during handshakes
  server = smtp
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  return (smtp.server.address() as AddressInfo).port
}

const levels = (diagnoses: readonly Diagnosis[]): string[] => diagnoses.map(({ check, level }) => `${check} ${level}`)
const last = (diagnoses: readonly Diagnosis[]): Diagnosis => {
  const found = diagnoses.at(-1)
  if (!found) throw new Error('nothing was found')
  return found
}

describe('a server that works', () => {
  test('each step has a line, and nothing is sent', async () => {
    const smtp = await scripted({ starttls: 'upgrade', auth: '235 2.7.0 ok' })
    const transport = { host: '127.0.0.1', port: smtp.port, auth: AUTH, tls: { rejectUnauthorized: false } }
    const found = await examine(transport)
    expect(levels(found)).toEqual(['connection ok', 'tls ok', 'capabilities ok', 'login ok', 'sender ok'])
    expect(found[0]?.message).toContain('220 scripted.example ESMTP')
    expect(found[1]?.message).toMatch(/^TLSv1\.3, certificate of .*localhost/)
    expect(found[2]?.message).toContain('login by PLAIN LOGIN')
    await smtp.until(() => smtp.commands.includes('QUIT'))
    expect(smtp.commands).toEqual(expect.arrayContaining(['MAIL FROM:<no-reply@acmecodes.net>', 'RSET']))
    expect([smtp.recipients, smtp.messages]).toEqual([[], []])
  })

  test('a trusted certificate of the right name is one', async () => {
    const port = await listening({ key: KEY, cert: CERTIFICATE, size: 1_000_000 })
    const tls = { ca: CERTIFICATE, servername: 'mail.acmecodes.net' }
    const found = await examine({ host: ELSEWHERE, port, tls })
    expect(levels(found)).toEqual(['connection ok', 'tls ok', 'capabilities ok', 'sender ok'])
    expect(found[1]?.message).toContain('certificate of DNS:mail.acmecodes.net, valid to Jan 1 00:00:00 2120 GMT')
    expect(found[2]?.message).toContain('Mails of up to 1000000 bytes')
  })

  test('without TLS it is sound on this machine only', async () => {
    const smtp = await scripted({})
    expect(levels(await examine(smtp.url))).toContain('tls ok')
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const found = await examine({ host: ELSEWHERE, port: smtp.port }, { mail: { allowInsecureSmtp: true } })
    expect(levels(found)).toContain('tls warning')
  })

  test('a limit that is too small for a mail with a logo is a warning', async () => {
    const smtp = await scripted({ ehlo: '250-scripted.example\r\n250 SIZE 50000' })
    const found = await examine(smtp.url)
    expect(found.find(({ check }) => check === 'capabilities')).toMatchObject({
      level: 'warning',
      message: 'The server takes mails of 50000 bytes at most.',
    })
  })
})

describe('no connection', () => {
  test('a name that the DNS does not know', async () => {
    const [found] = await examine({ host: 'mail.acmecodes.invalid', port: 587 })
    expect(found).toMatchObject({ check: 'connection', level: 'error' })
    expect(found?.message).toContain('mail.acmecodes.invalid cannot be resolved')
  })

  test('a port where nobody listens', async () => {
    const [found] = await examine(await ScriptedSmtp.goneUrl())
    expect(found?.message).toMatch(/^127\.0\.0\.1:\d+ refuses connections/)
    expect(found?.cure).toContain('587')
  })

  test.each<[string, SmtpScript]>([
    ['says nothing', { greeting: 'hang' }],
    ['says a byte now and then', { greeting: 'trickle' }],
    ['falls silent after EHLO', { ehlo: 'hang' }],
  ])('a server that %s is given up in time', async (_what, script) => {
    const smtp = await scripted(script)
    const found = await examine(smtp.url, { stepTimeoutMs: 400 })
    expect(levels(found)).toEqual(['connection error'])
    expect(found[0]?.message).toContain('does not answer in time')
  })

  test.each([
    ['554 5.7.1 your address is on a blocklist', 'error', 'turns us away: 554 5.7.1 your address is on a blocklist'],
    ['421 4.3.2 too busy', 'warning', '421 4.3.2 too busy'],
  ])('the greeting %s', async (greeting, level, message) => {
    const smtp = await scripted({ greeting })
    const [found] = await examine(smtp.url)
    expect(found).toMatchObject({ check: 'connection', level })
    expect(found?.message).toContain(message)
  })

  test('a server that hangs up', async () => {
    const smtp = await scripted({ greeting: 'close' })
    expect(levels(await examine(smtp.url))).toEqual(['connection error'])
  })
})

describe('no TLS that can be trusted', () => {
  test('no STARTTLS, beyond this machine', async () => {
    const smtp = await scripted({})
    const found = await examine({ host: ELSEWHERE, port: smtp.port, auth: AUTH })
    expect(levels(found)).toEqual(['connection ok', 'tls error'])
    expect(last(found).message).toContain('offers no STARTTLS (502')
    expect(last(found).message).toContain('It is required')
    expect(last(found).cure).toContain('smtps://')
    expect(smtp.commands.filter((line) => line.startsWith('AUTH'))).toEqual([])
  })

  test('a certificate that has expired, with its name and date', async () => {
    const smtp = await scripted({ starttls: 'upgrade', auth: '235 ok' })
    const tls = { ca: getTLSOptions().cert }
    const found = await examine({ host: ELSEWHERE, port: smtp.port, auth: AUTH, tls })
    expect(levels(found)).toEqual(['connection ok', 'tls error'])
    expect(last(found).message).toMatch(/^The certificate of .*localhost.* expired on \w{3} +\d+ [\d:]+ \d{4} GMT/)
    expect(smtp.commands.filter((line) => line.startsWith('AUTH'))).toEqual([])
  })

  test.each([true, false])(
    'a certificate that nobody known vouches for; TLS from the first byte: %p',
    async (secure) => {
      const port = await listening({ key: KEY, cert: CERTIFICATE, secure })
      const found = await examine({ host: ELSEWHERE, port, secure, tls: { servername: 'mail.acmecodes.net' } })
      expect(last(found)).toMatchObject({ check: 'tls', level: 'error' })
      expect(last(found).message).toContain('vouches for the certificate of DNS:mail.acmecodes.net, issued by Acme')
    },
  )

  test('a certificate for another host, with the names that it is for', async () => {
    const port = await listening({ key: KEY, cert: CERTIFICATE })
    const found = await examine({ host: 'localhost', port, requireTLS: true, tls: { ca: CERTIFICATE } })
    expect(last(found).message).toBe('The certificate is for DNS:mail.acmecodes.net, not for localhost.')
  })

  test('a TLS version below 1.2', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const port = await listening({ secure: true, key: KEY, cert: CERTIFICATE, ...old })
    const found = await examine({ host: ELSEWHERE, port, secure: true, tls: { ca: CERTIFICATE } })
    expect(last(found)).toMatchObject({ check: 'tls', level: 'error', message: `${ELSEWHERE} speaks TLSv1.1 only.` })
  })

  test('smtps:// at a port that begins in clear text', async () => {
    const smtp = await scripted({})
    const found = await examine({ host: '127.0.0.1', port: smtp.port, secure: true })
    expect(last(found).message).toContain('does not begin with TLS')
    expect(last(found).cure).toContain('smtp:// (STARTTLS)')
  })
})

describe('login and sender', () => {
  test('a server that offers no login gets no password', async () => {
    const smtp = await scripted({})
    const found = await examine({ host: '127.0.0.1', port: smtp.port, auth: AUTH })
    expect(last(found)).toMatchObject({ check: 'login', level: 'error' })
    expect(last(found).message).toContain('offers no login (AUTH)')
    expect(smtp.commands.filter((line) => line.startsWith('AUTH'))).toEqual([])
  })

  test.each([
    ['535 5.7.8 bad credentials', 'error', 'The server refuses the login: 535 5.7.8 bad credentials'],
    ['454 4.7.0 cannot check now', 'warning', '454 4.7.0 cannot check now'],
  ])('the answer %s to the login', async (auth, level, message) => {
    const smtp = await scripted({ auth })
    const found = await examine({ host: '127.0.0.1', port: smtp.port, auth: AUTH })
    expect(last(found)).toMatchObject({ check: 'login', level })
    expect(last(found).message).toContain(message)
  })

  test.each([
    ['550 5.7.60 not your address', 'error', 'refuses no-reply@acmecodes.net as sender: 550 5.7.60 not your address'],
    ['530 5.7.0 authentication required', 'error', 'wants a login first'],
    ['451 4.3.0 try later', 'warning', '451 4.3.0 try later'],
  ])('the answer %s to the sender', async (mail, level, message) => {
    const smtp = await scripted({ mail })
    const found = await examine(smtp.url)
    expect(last(found)).toMatchObject({ check: 'sender', level })
    expect(last(found).message).toContain(message)
  })
})

describe('a transport of the host', () => {
  const transporter = (verify?: () => Promise<unknown>) => ({
    sendMail: () => Promise.reject(new Error('nothing may be sent')),
    ...(verify && { verify }),
  })

  test.each<[string, Transport, string]>([
    ['verifies itself', transporter(() => Promise.resolve(true)), 'connection ok'],
    ['has no verify()', transporter(), 'connection unknown'],
    ['cannot verify itself', transporter(() => Promise.reject(new Error('no network'))), 'connection error'],
  ])('that %s', async (_what, transport, expected) => {
    expect(levels(await examine(transport))).toEqual([expected])
  })

  test('OAuth2 is left to verify() of nodemailer', async () => {
    const smtp = await scripted({ ehlo: '250-scripted.example\r\n250 AUTH XOAUTH2', auth: '535 5.7.8 no' })
    const auth = { type: 'OAuth2', user: 'ana', accessToken: 'a-token-of-ana' } as const
    const found = await examine({ host: '127.0.0.1', port: smtp.port, auth })
    expect(levels(found)).toEqual(['connection error'])
    expect(found[0]?.message).toContain('auth')
  })
})
