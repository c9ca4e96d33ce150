import { ANA, type Agent, BROWSER, HostApp, NAVIGATE, sealedIn, submit, submitCode } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'

let host: HostApp
afterEach(() => host.close())

const typeCode = async (jar: Agent, code: string): Promise<string> =>
  (await submit(jar, '/2fa/verify', { code }, BROWSER)).text
const pageText = async (jar: Agent): Promise<string> => (await jar.get('/2fa').set(BROWSER).expect(200)).text

test.each<[string, (code: string) => string]>([
  ['spaces', (code) => ` ${code.slice(0, 3)} ${code.slice(3)} `],
  ['a dash', (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
  ['a long dash', (code) => `${code.slice(0, 3)}–${code.slice(3)}`],
  ['no-break spaces', (code) => `${code.slice(0, 3)}\u00a0${code.slice(3)}`],
  ['invisible characters', (code) => `\u200b${code}\u200e`],
  ['a line end', (code) => `${code}\r\n`],
  ['full-width digits', (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))],
  ['Arabic-Indic digits', (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit)))],
  ['Persian digits', (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0x6f0 + Number(digit)))],
  ['Devanagari digits', (code) => code.replace(/\d/g, (digit) => String.fromCharCode(0x966 + Number(digit)))],
  ['a closing full stop', (code) => `${code}.`],
  ['its bound line', (code) => `@acme.example #${code}`],
])('U2: a code with %s is accepted', async (_what, write) => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  expect(await submitCode(jar, { code: write(code) })).toBe('/')
})

test('U3: an error is text, linked to the field, announced, and first in the title', async () => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  for (const wrong of [wrongCode(code), '12']) {
    const text = await typeCode(jar, wrong)
    const [, field = ''] = /(<input id="otp-code"[^>]*>)/.exec(text) ?? []
    expect(field).toContain('aria-invalid="true"')
    expect(field).toMatch(/aria-describedby="[^"]*\botp-error\b[^"]*"/)
    expect(text).toMatch(/<p class="otp-error" id="otp-error" role="alert">[^<]+<\/p>/)
    expect(text).toMatch(/<title>Error: /)
  }
  const plain = await pageText(jar)
  expect(plain).not.toContain('otp-error')
  expect(plain).not.toContain('aria-invalid')
  expect(plain).toMatch(/<title>Enter /)
})

test('U4: the page tells wrong with guesses left, the last guess, used up and expired apart', async () => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  for (const left of [4, 3, 2, 1]) {
    expect(await typeCode(jar, wrongCode(code))).toContain(`Guesses left: ${left}.`)
  }
  expect(await typeCode(jar, wrongCode(code))).toContain('it was the last guess')
  const usedUp = await typeCode(jar, code)
  expect(usedUp).toContain('It was typed wrong too often.')
  expect(usedUp).toContain('Mail me a new code')
  const other = await host.asked({ id: 'u3', email: 'eve@example.com' })
  host.clock.tick(601)
  const expired = await typeCode(other.jar, other.code)
  expect(expired).toContain('It no longer works.')
  expect(expired).toContain('Mail me a new code')
})

test('U4: the page says that a longer code is needed, and then asks for it', async () => {
  host = await HostApp.start({ otp: { limits: { failures: { capacity: 1 } } } })
  const { jar, code } = await host.asked()
  const stranger = await host.asked()
  await typeCode(stranger.jar, wrongCode(stranger.code))
  const longer = await typeCode(jar, code)
  expect(longer).toContain('Your next code is longer')
  await host.mailbox.mails(3) // the alert, too: the step of the clock would end its send attempt
  host.clock.tick(31)
  await jar.post('/2fa/send').send({}).expect(200)
  const page = await pageText(jar)
  expect(page).toContain('Enter the 13-character code')
  expect(page).toContain('Spaces, dashes and small letters are fine.')
  expect(page).toContain('inputmode="text"')
  const typed = host.mailbox.code.toLowerCase().replace(/0/g, 'o').replaceAll('-', ' ')
  expect(await submitCode(jar, { code: typed })).toBe('/')
})

test('U4: a JSON client can tell them apart by code', async () => {
  host = await HostApp.start({ otp: { attempts: 1 } })
  const { jar, code } = await host.asked()
  const guess = async (text: string): Promise<unknown> => (await jar.post('/2fa/verify').send({ code: text })).body.code
  expect(await guess('12')).toBe('invalid_code_format')
  expect(await guess(wrongCode(code))).toBe('wrong_code')
  expect(await guess(code)).toBe('code_exhausted')
  expect((await (await host.signedIn()).post('/2fa/verify').send({ code })).body.code).toBe('no_challenge')
})

test('U5: the lifetime is stated, a new code is one click away, help is at the support address', async () => {
  host = await HostApp.start({ otp: { site: { name: 'Acme', supportUrl: 'mailto:help@acme.example' } } })
  const { jar } = await host.asked(ANA)
  host.clock.tick(61)
  const page = await pageText(jar)
  expect(page).toContain('The code works for 9 minutes.')
  expect(page).toMatch(/<form method="post" action="\/2fa\/send">[^]*?<button type="submit"[^>]*>Send it again/)
  expect(page).toContain('<a href="mailto:help@acme.example">Can’t get the mail?</a>')
})

test('U5: without a support address there is no empty link', async () => {
  host = await HostApp.start()
  const { jar } = await host.asked()
  expect(await pageText(jar)).not.toContain('Can’t get the mail?')
})

test('S4: the script may send while no usable code is open; an expired or used-up one does not count', async () => {
  host = await HostApp.start({ otp: { attempts: 1 } })
  const jar = await host.signedIn()
  const opened = async (): Promise<{ isOffered: boolean; sealed: string }> => {
    const page = (await jar.get('/secret').set(NAVIGATE).expect(303)).get('Location') ?? ''
    const { text } = await jar.get(page).set(NAVIGATE).expect(200)
    return { isOffered: text.includes('data-auto-send='), sealed: sealedIn(text) }
  }
  const { isOffered, sealed } = await opened()
  expect(isOffered).toBe(true)
  await jar.post('/2fa/send').send({ for: sealed }).expect(200)
  expect((await opened()).isOffered).toBe(false)
  host.clock.tick(86_400)
  expect((await opened()).isOffered).toBe(true)
  const again = (await opened()).sealed
  await jar.post('/2fa/send').send({ for: again }).expect(200)
  const code = wrongCode(host.mailbox.code)
  const used = await submit(jar, '/2fa/verify', { for: again, code })
  expect(used.text).not.toContain('data-auto-send=')
  expect((await opened()).isOffered).toBe(true)
})

test('S4: after a mail that failed the visitor decides, and the script does not send', async () => {
  const smtp = await ScriptedSmtp.listen({ mail: '550 5.7.60 not you' })
  host = await HostApp.start({ otp: { mail: { transport: smtp.url, from: 'no-reply@acme.example' } } })
  const jar = await host.signedIn()
  const page = (await jar.get('/secret').set(NAVIGATE).expect(303)).get('Location') ?? ''
  const { text } = await jar.get(page).set(NAVIGATE).expect(200)
  expect(text).toContain('data-auto-send=')
  await jar.post('/2fa/send').send({ for: sealedIn(text) })
  expect((await jar.get(page).set(NAVIGATE).expect(200)).text).not.toContain('data-auto-send=')
  await smtp.close()
})
