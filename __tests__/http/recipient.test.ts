import { type Agent, ANA, BROWSER, HostApp, type HostOptions, NAVIGATE, submit } from '../helpers/host-app.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'
import type { MailTransporter, OtpOptions } from '../../src/index.js'

const FROM = 'Acme <no-reply@acme.example>'
const TYPED: Partial<OtpOptions> = { user: () => null, typedEmail: true }

let host: HostApp
let smtp: ScriptedSmtp | null = null
afterEach(async () => {
  await smtp?.close()
  smtp = null
  await host.close()
})

const typed = async (more: Partial<OtpOptions> = {}, rest: HostOptions = {}): Promise<HostApp> => {
  host = await HostApp.start({ ...rest, otp: { ...TYPED, ...more } })
  return host
}
const ask = (jar: Agent, email: unknown) => jar.post('/2fa/send').send({ email })
const again = (jar: Agent) => jar.post('/2fa/send').send({})

describe('addresses', () => {
  const LONG_DOMAIN = `${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.museum`

  const hostile: [string, unknown][] = [
    ['two with a comma', 'a@x.example,b@y.example'],
    ['two with a semicolon', 'a@x.example;b@y.example'],
    ['two with a space', 'a@x.example b@y.example'],
    ['a quoted address inside', '"b@y.example x"@x.example'],
    ['a quoted local part', '"b@y.example"@x.example'],
    ['an address before angle brackets', 'b@y.example <a@x.example>'],
    ['an address inside angle brackets', 'a@x.example <b@y.example>'],
    ['a group', 'g: a@x.example;'],
    ['a header line', 'a@x.example\r\nBcc: b@y.example'],
    ['a bare line feed', 'a@x.example\nb@y.example'],
    ['a comment', 'a(c)@x.example'],
    ['angle brackets first', '<a@x.example>b@y.example'],
    ['a full-width at sign', 'a＠y.example'],
    ['a dotless i', 'ıa@x.example'],
    ['two at signs', 'a@b@c.example'],
    ['a bracket at the end', 'a@x.example>'],
    ['a source route', '@x.example:b@y.example'],
    ['an address literal', 'a@[127.0.0.1]'],
    ['a NUL', 'a@x.example\0'],
    ['an encoded word', '=?utf-8?q?b=40y.example=2C?=@x.example'],
    ['blank', '   '],
    ['nothing', ''],
    ['an array', ['a@x.example', 'b@y.example']],
    ['an object', { address: 'a@x.example' }],
    ['a number', 7],
    ['null', null],
    ['true', true],
    ['a percent-encoded domain', 'a@x%2eexample'],
    ['a bare IP address', 'a@127.0.0.1'],
    ['a display name', 'Ana a@x.example'],
  ]

  test.each(hostile)('A1: %s is refused and no mail server hears of it', async (_what, email) => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    const asJson = await ask(host.jar(), email)
    expect(asJson.status).toBe(typeof email === 'string' ? 422 : 400)
    expect(asJson.body.code).toBe(typeof email === 'string' ? 'invalid_email' : 'bad_request')
    if (typeof email === 'string') {
      expect((await submit(host.jar(), '/2fa/send', { email })).text).toContain('Enter one address')
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(smtp.connections).toBe(0)
    expect(host.events).toEqual([])
  })

  test.each(['email=a@x.example&email=b@y.example', 'email[]=a@x.example', 'email[a]=b@y.example', 'email.a=b'])(
    'A1: the form body %s is refused',
    async (body) => {
      await typed()
      const asked = await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send(body)
      expect(asked.status).toBe(400)
      expect(host.events).toEqual([])
    },
  )

  test.each([
    ['64 octets before the at sign', `${'a'.repeat(64)}@example.com`, 200],
    ['65 octets before the at sign', `${'a'.repeat(65)}@example.com`, 422],
    ['254 octets in all', `${'a'.repeat(64)}@${LONG_DOMAIN}`, 200],
    ['255 octets in all', `${'a'.repeat(64)}@x${LONG_DOMAIN}`, 422],
  ])('A2: %s', async (_what, email, status) => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    const done = new Promise((resolve) => {
      for (const type of ['sent', 'undelivered'] as const) host.otp.events.once(type, resolve)
    })
    await ask(host.jar(), email).expect(status)
    if (status === 200) expect(await done).toMatchObject({ type: 'sent' })
    expect(smtp.recipients).toEqual(status === 200 ? [email] : [])
  })

  test('A2: an IDN domain goes out as its A-label, the local part as it was typed', async () => {
    smtp = await ScriptedSmtp.listen()
    await typed({ mail: { transport: smtp.url, from: FROM } })
    await ask(host.jar(), 'X.Y+z@EXÄMPLE.com').expect(200)
    await smtp.until(() => smtp?.messages.length === 1)
    expect(smtp.recipients).toEqual(['X.Y+z@xn--exmple-cua.com'])
  })

  test.each<[string, unknown]>([
    ['another address', { accepted: ['evil@example.com'] }],
    ['this one and another', { accepted: ['ana@example.com', 'evil@example.com'] }],
    ['nobody', { accepted: [] }],
    ['text', { accepted: 'ana@example.com' }],
    ['another address, with nobody as rejected,', { accepted: ['evil@example.com'], rejected: [] }],
  ])('A3: a transport that reports %s as accepted has failed', async (_what, info) => {
    const transport: MailTransporter = { sendMail: () => Promise.resolve(info) }
    host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    await again(await host.signedIn()).expect(503)
    expect(host.events).toMatchObject([{ type: 'issued' }, { type: 'undelivered', outcome: 'unavailable' }])
  })

  test('A3: nodemailer is given one recipient as an object, never as text that it would parse', async () => {
    const given: unknown[] = []
    const transport: MailTransporter = {
      sendMail: (message) => {
        given.push(message.to)
        return Promise.resolve({ accepted: [ANA.email] })
      },
    }
    host = await HostApp.start({ otp: { mail: { transport, from: FROM } } })
    await again(await host.signedIn()).expect(200)
    expect(given).toEqual([{ name: '', address: ANA.email }])
  })

  test('A5: nothing of a hostile request stands in the mail', async () => {
    host = await HostApp.start()
    const evil = '"><script>evil</script>'
    const jar = await host.signedIn({ ...ANA, name: `Ana ${evil}` })
    await jar
      .post(`/2fa/send?evil=${encodeURIComponent(evil)}`)
      .set('User-Agent', `evil ${evil}`)
      .set('Host', 'evil.example')
      .set('X-Forwarded-Host', 'evil.example')
      .set('X-Forwarded-For', 'evil')
      .set('Referer', 'https://evil.example/')
      .send({ email: 'evil@evil.example', name: evil, purpose: 'evil' })
      .expect(200)
    expect(host.mailbox.last.raw).not.toMatch(/evil/i)
    expect(`${host.mailbox.last.mail.text}${String(host.mailbox.last.mail.html)}`).not.toMatch(/evil/i)
  })

  test('A5: the host’s description is escaped in HTML and one plain line in text', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const payee = '<img src=x onerror=alert(1)>\r\n\r\nBcc: evil@example.com \u202Egnp'
    const shut = await jar.post('/transfer').send({ amount: '7', payee }).expect(401)
    await jar.post('/2fa/send').send({ for: shut.body.for }).expect(200)
    const { mail, to } = host.mailbox.last
    expect(to).toEqual([ANA.email])
    expect(String(mail.html)).toContain('&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt; Bcc: evil@example.com gnp')
    expect(String(mail.html)).not.toContain('<img')
    expect(mail.text?.replace(/\n/g, ' ')).toContain('<img src=x onerror=alert(1)> Bcc: evil@example.com gnp')
    expect(mail.headers.has('bcc')).toBe(false)
  })

  test('W7: no page and no JSON shows a whole address, unless it was just typed and not understood', async () => {
    await typed()
    const jar = host.jar()
    const typo = await submit(jar, '/2fa/send', { email: 'ana@example' }, BROWSER)
    expect(typo.text).toContain('value="ana@example"')
    await jar.post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
    await host.mailbox.mails(1)
    host.clock.tick(31)
    const seen = [
      await jar.post('/2fa/send').set(BROWSER).type('form').send({ email: 'ana@example.com' }).expect(303),
      await jar.get('/2fa').set(BROWSER).expect(200),
      await jar.get('/2fa').expect(200),
      await submit(jar, '/2fa/send', {}, BROWSER),
      await submit(jar, '/2fa/verify', { code: '1' }, BROWSER),
      await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200),
      await jar.get('/2fa').set(BROWSER).expect(200),
    ]
    for (const { text, headers } of seen) expect(text + JSON.stringify(headers)).not.toMatch(/ana@example\.com/i)
    expect(seen[1]?.text).toContain('a•••@example.com')
  })
})
