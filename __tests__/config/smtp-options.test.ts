import { resolveMailSettings } from '../../src/config/mail-settings.js'
import type { SmtpOptions } from '../../src/config/options.js'
import { HostApp } from '../helpers/host-app.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'

const FROM = 'Acme <no-reply@acme.example>'

function requiresTls(transport: string | SmtpOptions): unknown {
  const { transporter, close } = resolveMailSettings({ transport, from: FROM })
  close()
  return (transporter as unknown as { options: { requireTLS?: unknown } }).options.requireTLS
}

test.each<[string, string | SmtpOptions, boolean]>([
  ['another host', 'smtp://mail.example', true],
  ['another host that asks for none', { host: 'mail.example', requireTLS: false }, true],
  ['this machine', 'smtp://127.0.0.1:2525', false],
  ['this machine, where the host asks for it', { host: '127.0.0.1', requireTLS: true }, true],
  ['localhost, where the host asks for it', { host: 'localhost', requireTLS: true }, true],
  ['a connection that is TLS from its first byte', 'smtps://mail.example', false],
])('H6: STARTTLS is required to %s: %p -> %p', (_name, transport, isRequired) => {
  expect(requiresTls(transport)).toBe(isRequired)
})

test('H6: to a server on loopback that offers no STARTTLS nothing is sent when the host requires TLS', async () => {
  const smtp = await ScriptedSmtp.listen({})
  const { hostname, port } = new URL(smtp.url)
  const transport = { host: hostname, port: Number(port), requireTLS: true }
  const host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
  const jar = await host.signedIn()
  await jar.post('/2fa/send').send({}).expect(503)
  expect(host.events.at(-1)).toMatchObject({ type: 'undelivered', failureClass: 'tls' })
  await host.close()
  await smtp.close()
})
