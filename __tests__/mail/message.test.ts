import { simpleParser } from 'mailparser'
import { ANA, HostApp } from '../helpers/host-app.js'
import { codeIn, Mailbox, type Received, wrongCode } from '../helpers/mailbox.js'
import type { OtpOptions } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** One mail as it arrived. */
async function mailed(otp: Partial<OtpOptions> = {}): Promise<Received> {
  host = await HostApp.start({ otp })
  await host.asked()
  return host.mailbox.last
}

const html = ({ mail }: Received): string => String(mail.html)
const preheader = (received: Received): string =>
  /<div style="display:none[^>]*>([^<]*)<\/div>/.exec(html(received))?.[1] ?? ''
const lines = ({ mail }: Received): string[] => (mail.text ?? '').trimEnd().split('\n')
const header = ({ raw }: Received, name: string): string =>
  new RegExp(`^${name}: ((?:.|\\r?\\n[ \\t])*)`, 'im').exec(raw)?.[1]?.replace(/\r?\n\s+/g, ' ') ?? ''
const parts = ({ raw }: Received): string[] => raw.match(/^Content-Type: [^;\r\n]*/gim) ?? []
const withTyped: Partial<OtpOptions> = { user: undefined as never, typedEmail: true }

async function typedMail(otp: Partial<OtpOptions> = {}): Promise<Received> {
  host = await HostApp.start({ otp: { ...withTyped, ...otp } })
  await host.jar().post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
  const [mail] = await host.mailbox.mails(1)
  if (!mail) throw new Error('no mail')
  return mail
}

test('in 200 mails the code is the only run of 4 to 8 digits in subject, preheader, HTML and text', async () => {
  host = await HostApp.start()
  const codes = new Set<string>()
  for (let i = 0; i < 200; i++) {
    host.clock.tick(61)
    await host.asked({ id: `u${i}`, email: 'ana@example.com' })
    const received = host.mailbox.last
    const code = codeIn(received)
    codes.add(code)
    const runs = (text: string): Set<string> => new Set(text.match(/\d{4,}/g))
    expect(runs(received.mail.subject ?? '')).toEqual(new Set())
    expect(runs(preheader(received))).toEqual(new Set())
    expect(runs(html(received))).toEqual(new Set([code]))
    expect(runs(received.mail.text ?? '')).toEqual(new Set([code]))
  }
  expect(codes.size).toBeGreaterThan(190)
})

test('the code is one text node in HTML and alone on its line in text', async () => {
  const received = await mailed()
  const code = codeIn(received)
  expect(html(received)).toContain(`<span dir="ltr">${code}</span>`)
  expect(html(received).split(code)).toHaveLength(2)
  expect(lines(received).filter((line) => line === code)).toHaveLength(1)
  expect(html(received)).toMatch(/letter-spacing:\d+px/)
})

test('text comes first, then HTML, and nothing else: no attachment, no image', async () => {
  const received = await mailed()
  expect(parts(received)).toEqual([
    'Content-Type: multipart/alternative',
    'Content-Type: text/plain',
    'Content-Type: text/html',
  ])
  expect(received.mail.attachments).toEqual([])
})

test('the text says everything a person needs, in 78 columns', async () => {
  const received = await mailed()
  expect(lines(received)[0]).toBe('Your code')
  expect(lines(received).slice(-5)).toEqual([
    'Here is your Acme code:',
    '',
    expect.stringMatching(/^\d{6}$/),
    '',
    expect.stringMatching(/^@acme\.example #\d{6}$/),
  ])
  const text = lines(received).join('\n')
  expect(text).toContain('Enter it on acme.example. It works for 10 minutes, until 14:32\u00a0UTC.')
  expect(text).toMatch(
    /This code is for the page that shows: Request [B-Z]{3}\.\nAcme will never ask you for this code\./,
  )
  expect(text).toContain('You got this mail because a code for your address was requested at Acme.')
  expect(text).toContain('Wasn’t you? Ignore this mail. Nobody gets in without the code.')
  expect(Math.max(...lines(received).map((line) => line.length))).toBeLessThanOrEqual(78)
})

test('a long action and a long name are wrapped at 78 columns', async () => {
  const describe = (): string => 'Move all of the money of this house to the other house '.repeat(3).trim()
  host = await HostApp.start({
    otp: {
      site: {
        name: 'The Old and Honourable Bank of Acme and Its Surroundings',
        origin: 'https://acme.example',
      },
    },
    after: (app, otp) => void app.get('/action', otp.requireOtp({ purpose: 'action', describe })),
  })
  const jar = await host.signedIn()
  const shut = await jar.get('/action').expect(401)
  await jar.post('/2fa/send').send({ for: shut.body.for }).expect(200)
  const all = lines(host.mailbox.last)
  expect(all.join(' ')).toContain('Confirm this action: Move all of the money of this house to the other house Move')
  expect(Math.max(...all.map((line) => line.length))).toBeLessThanOrEqual(78)
})

test('the tag in the mail is the one on the page', async () => {
  host = await HostApp.start()
  const jar = await host.signedIn()
  const sent = await jar.post('/2fa/send').send({}).expect(200)
  const page = await jar.get('/2fa').set('Accept', 'text/html').expect(200)
  expect(host.mailbox.last.mail.text).toContain(`Request ${sent.body.tag as string}.`)
  expect(page.text).toContain(`request ${sent.body.tag as string}`)
})

test('C6: the preheader tells the time and not the code', async () => {
  const received = await mailed()
  expect(preheader(received)).toMatch(/^Valid until 14:32\u00a0UTC\. Don’t share it with anyone\.&/)
  expect(html(received).indexOf(preheader(received))).toBeLessThan(html(received).indexOf(codeIn(received)))
})

describe('the subject', () => {
  test.each([
    [undefined, 'Your Acme code'],
    ['auto', 'Your Acme code'],
    ['never', 'Your Acme code'],
    ['always', 'CODE is your Acme code'],
  ] as const)('with code.subject %p and somebody signed in is %p', async (subject, expected) => {
    const received = await mailed(subject && { code: { subject } })
    expect(received.mail.subject).toBe(expected.replace('CODE', codeIn(received)))
    expect(preheader(received)).not.toContain(codeIn(received))
  })

  test.each([
    [undefined, 'CODE is your Acme code'],
    ['auto', 'CODE is your Acme code'],
    ['always', 'CODE is your Acme code'],
    ['never', 'Your Acme code'],
  ] as const)('with code.subject %p and a typed address is %p', async (subject, expected) => {
    const received = await typedMail(subject && { code: { subject } })
    expect(codeIn(received)).toMatch(/^\d{8}$/)
    expect(received.mail.subject).toBe(expected.replace('CODE', codeIn(received)))
  })
})

describe('headers', () => {
  test('mark the mail as automatic and ask for no automatic reply', async () => {
    const received = await mailed()
    expect(header(received, 'Auto-Submitted')).toBe('auto-generated')
    expect(header(received, 'X-Auto-Response-Suppress')).toBe('OOF, AutoReply, DR, RN, NRN')
    expect(received.raw).not.toMatch(/^(Precedence|List-[\w-]+|X-Mailer|Bcc|Cc|Sender):/im)
    expect(header(received, 'From')).toBe('Acme <no-reply@acme.example>')
    expect(header(received, 'To')).toBe(ANA.email)
    expect(received.mail.date).toEqual(new Date(host.clock.ms))
    expect(received.from).toBe('no-reply@acme.example')
  })

  test('H7: a resend is a mail of its own with the same code: other Message-ID, Date and References', async () => {
    host = await HostApp.start()
    const { jar } = await host.asked()
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    host.clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    expect(new Set(host.mailbox.received.map(codeIn)).size).toBe(1)
    expect(header(host.mailbox.last, 'Message-ID')).toMatch(/^<[\w-]{22}@acme\.example>$/)
    for (const name of ['Message-ID', 'Date', 'References', 'X-Entity-Ref-ID']) {
      const values = host.mailbox.received.map((one) => header(one, name))
      expect(values.every((value) => value !== '')).toBe(true)
      expect(new Set(values).size).toBe(3)
    }
  })

  test.each([
    ['https://acme.example', true],
    ['http://localhost:3000', true],
    ['http://127.0.0.1:3000', true],
    ['http://acme.example', false],
    [undefined, false],
  ])('with the origin %p OTP-Token and bound line are present: %p', async (origin, isBound) => {
    const received = await mailed({ site: { name: 'Acme', ...(origin && { origin }) } })
    const code = codeIn(received)
    expect(header(received, 'OTP-Token')).toBe(isBound ? `"${code}"; origin="${String(origin)}"` : '')
    const last = lines(received).at(-1)
    if (isBound) expect(last).toBe(`@${new URL(String(origin)).hostname} #${code}`)
    else expect(last).toBe(code)
    if (origin === undefined) expect(received.mail.text).toContain('Enter it on the page that asked for it.')
  })

  test('the host’s reply address and headers are included', async () => {
    const mailbox = await new Mailbox().listen()
    const headers = { 'X-Acme-Mail': 'code' }
    const mail = {
      transport: mailbox.url,
      from: 'no-reply@acme.example',
      replyTo: 'Help <help@acme.example>',
      headers,
    }
    host = await HostApp.start({ mailbox, otp: { mail } })
    await host.asked()
    expect(header(mailbox.last, 'Reply-To')).toBe('help@acme.example')
    expect(header(mailbox.last, 'X-Acme-Mail')).toBe('code')
    expect(header(mailbox.last, 'From')).toBe('no-reply@acme.example')
  })
})

test('HTML is small, links nowhere and loads nothing', async () => {
  const received = await mailed()
  expect(Buffer.byteLength(html(received))).toBeLessThan(12 * 1024)
  expect(html(received)).not.toMatch(/<(a|img|script|link|iframe|form|input|video|object)\b/i)
  expect(html(received)).not.toMatch(/https?:|url\(|@import|\bsrc=|\bhref=|\bbackground=|flex|grid/i)
  expect(html(received)).not.toMatch(/[\u2066-\u2069\u202A-\u202E]/)
  expect(received.mail.text).not.toMatch(/https?:/)
})

test('HTML states its language and direction twice and supports both colour schemes', async () => {
  const received = await mailed()
  expect(html(received)).toContain('<html lang="en" dir="ltr">')
  expect(html(received)).toContain('<div lang="en" dir="ltr">')
  expect(html(received)).toContain('<meta name="color-scheme" content="light dark">')
  expect(html(received)).toContain('prefers-color-scheme: dark')
  const tables = html(received).match(/<table\b[^>]*>/g) ?? []
  expect(tables.length).toBeGreaterThan(1)
  expect(tables.every((table) => table.includes('role="presentation"'))).toBe(true)
})

test('text is not escaped as HTML is, and HTML is', async () => {
  const received = await mailed({ site: { name: 'Tom & Søn "Acme"', origin: 'https://acme.example' } })
  expect(received.mail.subject).toBe('Your Tom & Søn "Acme" code')
  expect(received.mail.text).toContain('Here is your Tom & Søn "Acme" code:')
  expect(html(received)).toContain('was requested at Tom &amp; Søn &quot;Acme&quot;.')
})

test('after ten wrong guesses the mail has the long code, as XXXXX-XXXX-XXXX', async () => {
  host = await HostApp.start()
  for (let round = 0; round < 2; round++) {
    const { jar, code } = await host.asked()
    for (let i = 0; i < 5; i++)
      await jar
        .post('/2fa/verify')
        .send({ code: wrongCode(code) })
        .expect(422)
  }
  const { code } = await host.asked()
  const received = host.mailbox.last
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  expect(html(received)).toContain(`<span dir="ltr">${code}</span>`)
  expect(lines(received).at(-1)).toBe(`@acme.example #${code.replaceAll('-', '')}`)
})

test('a resend states the remaining lifetime and the same end', async () => {
  host = await HostApp.start()
  const { jar } = await host.asked()
  host.clock.tick(120)
  await jar.post('/2fa/send').send({}).expect(200)
  expect(host.mailbox.last.mail.text).toContain('It works for 8 minutes, until 14:32\u00a0UTC.')
})

test('no line of a raw mail is longer than 998 octets', async () => {
  const { raw } = await mailed()
  expect(Math.max(...raw.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(998)
  expect((await simpleParser(raw)).subject).toBe('Your Acme code')
})
