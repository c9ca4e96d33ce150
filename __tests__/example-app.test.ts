import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { createTransport } from 'nodemailer'
import request from 'supertest'
import { Inbox } from '../example-app/inbox.js'
import { type RunningBank, startBank } from '../example-app/start-bank.js'
import { type Agent, BROWSER, sealedIn } from './helpers/host-app.js'
import { Mailbox } from './helpers/mailbox.js'

const SERVER = path.join(__dirname, '..', 'build', 'example-app', 'server.js')

/** A browser at the bank, without script. */
class Visitor {
  readonly #jar: Agent
  constructor(readonly bank: RunningBank) {
    this.#jar = request.agent(bank.url)
  }

  get(page: string) {
    return this.#jar.get(page).set(BROWSER)
  }

  post(page: string, fields: object, from = '/') {
    const referer = new URL(from, this.bank.url).href
    return this.#jar.post(page).set(BROWSER).set('Referer', referer).type('form').send(fields)
  }

  async signIn(person = 'ana'): Promise<this> {
    await this.post('/sign-in', { person }).expect(303)
    return this
  }

  /** The ids of all mails, the newest first, once there are as many. */
  async mails(count: number): Promise<string[]> {
    for (;;) {
      const { text } = await this.get('/inbox').expect(200)
      const ids = [...text.matchAll(/href="\/inbox\/(\d+)"/g)].map(([, id]) => String(id))
      if (ids.length >= count) return ids
    }
  }

  /** The code in the newest of so many mails, read where a visitor reads it. */
  async code(count: number): Promise<string> {
    const [newest] = await this.mails(count)
    const { text } = await this.get(`/inbox/${newest}`).expect(200)
    return /^\d{6,8}$/m.exec(text)?.[0] ?? 'no code in the mail'
  }

  /** Types the newest code into the page. Returns where that goes on to. */
  async verify(page: string, mails: number): Promise<string> {
    const { text } = await this.get(page).expect(200)
    const form = { for: sealedIn(text), code: await this.code(mails) }
    const right = await this.post('/2fa/verify', form).expect(303)
    const onward = await this.get(right.get('Location') ?? '').expect(200)
    return onward.get('Refresh')?.replace('0; url=', '') ?? ''
  }

  /** Fills in the transfer form and types the code, up to the page "Send it now?". */
  async drafted(amount: string, payee: string, mails: number): Promise<void> {
    const led = await this.post('/transfer/draft', { amount, payee }, '/transfer').expect(303)
    expect(await this.verify(led.get('Location') ?? '', mails)).toBe('/transfer/confirm')
  }
}

let bank: RunningBank
beforeEach(async () => {
  bank = await startBank({ PORT: '0' })
})
afterEach(() => bank.close())

test('a visitor signs in, reads the code in the inbox and sees the statement', async () => {
  const ana = new Visitor(bank)
  const home = await ana.get('/').expect(200)
  expect(home.text).toContain('Sign in as Ana')
  expect(home.text).toContain('Sign in as Ben')
  expect((await ana.get('/statement').expect(303)).get('Location')).toBe('/?next=statement')

  const signedIn = await ana.post('/sign-in', { person: 'ana', next: 'statement' }).expect(303)
  expect(signedIn.get('Location')).toBe('/statement')
  const page = (await ana.get('/statement').expect(303)).get('Location') ?? ''
  expect(page).toMatch(/^\/2fa\?for=/)

  const offer = await ana.get(page).expect(200)
  await ana.post('/2fa/send', { for: sealedIn(offer.text) }).expect(303)
  expect(await ana.verify(page, 1)).toBe('/statement')

  const statement = await ana.get('/statement').expect(200)
  expect(statement.text).toContain('1,563.60 EUR')
  expect(statement.text).toContain('Corner bakery')
  expect((await ana.get('/')).text).toContain('Verified at')
})

test('a transfer is bound to amount and payee and is sent once', async () => {
  const ana = await new Visitor(bank).signIn()
  const led = await ana.post('/transfer/draft', { amount: '50', payee: 'Ben' }, '/transfer').expect(303)
  const page = led.get('Location') ?? ''
  expect((await ana.get(page)).text).toContain('Send 50 EUR to Ben')
  const [newest] = await ana.mails(1)
  expect((await ana.get(`/inbox/${newest}`)).text).toContain('Send 50 EUR to Ben')

  expect(await ana.verify(page, 1)).toBe('/transfer/confirm')
  const confirm = await ana.get('/transfer/confirm').expect(200)
  expect(confirm.text).toContain('Send 50 EUR to Ben')
  const form = { amount: /name="amount" value="([^"]*)"/.exec(confirm.text)?.[1], payee: 'Ben' }
  const sent = await ana.post('/transfer', form, '/transfer/confirm').expect(303)
  expect(sent.get('Location')).toBe('/transfer/done')
  const done = await ana.get('/transfer/done').expect(200)
  expect(done.text).toContain('50 EUR are on their way to Ben')
  expect(done.text).toContain('1,513.60 EUR')

  const again = await ana.post('/transfer', form, '/transfer/confirm').expect(303)
  expect(again.get('Location')).toMatch(/^\/2fa\?for=/)
  const after = await ana.get('/statement').expect(200)
  expect(after.text.match(/To Ben/g)).toHaveLength(1)
})

test.each([
  ['the amount', { amount: '500', payee: 'Ben' }],
  ['the payee', { amount: '50', payee: 'Mallory' }],
])('a transfer with %s changed after the code is asked for a new one', async (_what, changed) => {
  const ana = await new Visitor(bank).signIn()
  await ana.drafted('50', 'Ben', 1)

  const refused = await ana.post('/transfer', changed, '/transfer/confirm').expect(303)
  expect(refused.get('Location')).toMatch(/^\/2fa\?for=/)
  const offer = await ana.get(refused.get('Location') ?? '').expect(200)
  expect(offer.text).toContain(`Send ${changed.amount} EUR to ${changed.payee}`)
  expect(offer.text).toContain('Mail me the code')

  const other = await ana.post('/transfer/draft', changed, '/transfer').expect(303)
  expect(other.get('Location')).toMatch(/^\/2fa\?for=/)
  await ana.mails(2)
  await ana.post('/transfer', changed, '/transfer/confirm').expect(303)
  const { text } = await ana.get('/statement').expect(200)
  expect(text).toContain('1,563.60 EUR')
})

test('money sent to the other demo person arrives there', async () => {
  const ana = await new Visitor(bank).signIn()
  await ana.drafted('12,50', 'ben', 1)
  await ana.post('/transfer', { amount: '12.5', payee: 'ben' }, '/transfer/confirm').expect(303)

  const ben = await new Visitor(bank).signIn('ben')
  const page = (await ben.get('/statement').expect(303)).get('Location') ?? ''
  await ben.post('/2fa/send', { for: sealedIn((await ben.get(page)).text) }).expect(303)
  await ben.verify(page, 2)
  const { text } = await ben.get('/statement').expect(200)
  expect(text).toContain('From Ana')
  expect(text).toContain('+12.50')
})

test.each([
  ['', 'Ben', 'Enter an amount in euros, such as 50 or 12.50.'],
  ['1,000', 'Ben', 'Enter an amount in euros, such as 50 or 12.50.'],
  ['-5', 'Ben', 'Enter an amount in euros, such as 50 or 12.50.'],
  ['0.00', 'Ben', 'Enter an amount above zero.'],
  ['1563.61', 'Ben', 'You have 1,563.60 EUR. Enter an amount up to that.'],
  ['50', ' ', 'Enter the name of the person who gets the money.'],
  ['50', 'ANA', 'That is you. Enter somebody else’s name.'],
  ['50', '482915', 'Enter a name of letters, 40 at most.'],
])('amount "%s" for "%s" returns the form with an error, and mails nothing', async (amount, payee, reason) => {
  const ana = await new Visitor(bank).signIn()
  const form = await ana.post('/transfer/draft', { amount, payee }, '/transfer').expect(422)
  expect(form.text).toContain(reason)
  expect(form.text).toContain(`value="${amount}"`)
  expect(form.text).toContain('<title>Error: Send money')
  expect(await ana.mails(0)).toEqual([])
  await ana.get('/transfer/confirm').expect(303)
})

test('without signing in any address can be verified; that does not open a statement', async () => {
  const visitor = new Visitor(bank)
  const page = (await visitor.get('/address').expect(303)).get('Location') ?? ''
  const ask = await visitor.get(page).expect(200)
  expect(ask.text).toContain('name="email"')
  const form = { for: sealedIn(ask.text), email: 'cleo@visitor.example' }
  await visitor.post('/2fa/send', form).expect(303)
  expect(await visitor.verify(page, 1)).toBe('/address')
  expect((await visitor.get('/address').expect(200)).text).toContain('cleo@visitor.example')

  expect((await visitor.get('/statement').expect(303)).get('Location')).toBe('/?next=statement')
  await visitor.signIn()
  expect((await visitor.get('/statement').expect(303)).get('Location')).toMatch(/^\/2fa\?for=/)
})

test('signing out closes the statement, also for the next person who signs in', async () => {
  const ana = await new Visitor(bank).signIn()
  await ana.drafted('50', 'Ben', 1)
  await ana.get('/statement').expect(200)

  expect((await ana.post('/sign-out', {}).expect(303)).get('Location')).toBe('/')
  expect((await ana.get('/statement').expect(303)).get('Location')).toBe('/?next=statement')
  await ana.signIn()
  expect((await ana.get('/statement').expect(303)).get('Location')).toMatch(/^\/2fa\?for=/)
  await ana.get('/transfer/confirm').expect(303)
})

test('the pages under /2fa have the bank’s own header', async () => {
  const ana = await new Visitor(bank).signIn()
  const { text } = await ana.get('/2fa').expect(200)
  expect(text).toContain('<header class="bank-bar">')
  expect(text).toContain('/2fa/assets/otp.css')
  expect(text).toContain('/bank.css')
  expect(text).toContain('Your code lands in the <a href="/inbox"')
  await ana.get('/bank.css').expect(200)
})

test('the inbox shows a mail with its parts, the HTML in a sandboxed frame', async () => {
  const ana = await new Visitor(bank).signIn()
  await ana.get('/inbox/newest').expect(200, '')
  expect((await ana.get('/inbox')).text).toContain('No mail yet')
  await ana.post('/transfer/draft', { amount: '50', payee: 'Ben' }).expect(303)

  const [id] = await ana.mails(1)
  await ana.get('/inbox/newest').expect(200, String(id))
  const { text } = await ana.get(`/inbox/${id}`).expect(200)
  for (const part of ['Your Pebble Bank code', 'no-reply@bank.example', 'ana@example.com', 'Auto-Submitted:']) {
    expect(text).toContain(part)
  }
  expect(text).toContain(`<iframe class="bank-frame" src="/inbox/${id}/html" sandbox=""`)
  const html = await ana.get(`/inbox/${id}/html`).expect(200)
  expect(html.get('Content-Security-Policy')).toMatch(/^sandbox; default-src 'none'; style-src 'unsafe-inline'/)
  expect(html.text).toContain('Send 50 EUR to Ben')
  await ana.get('/inbox/99').expect(404)
})

test('the inbox keeps the fifty newest mails and refuses one that is too large', async () => {
  const inbox = await Inbox.listen()
  const transport = createTransport({ url: inbox.url, pool: true })
  const mail = { from: 'a@example.com', to: 'b@example.com' }
  for (let n = 1; n <= 52; n++) await transport.sendMail({ ...mail, subject: `Mail ${n}`, text: '<b>' })
  expect(inbox.mails).toHaveLength(50)
  expect(inbox.mails[0]?.subject).toBe('Mail 52')
  expect(inbox.mails.at(-1)?.subject).toBe('Mail 3')

  const large = transport.sendMail({ ...mail, subject: 'Large', text: 'x'.repeat(1_100_000) })
  await expect(large).rejects.toThrow(/552|size/)
  expect(inbox.mails[0]?.subject).toBe('Mail 52')
  transport.close()
  await inbox.close()
})

test('with SMTP_URL the mails go there, and the inbox says so', async () => {
  const mailbox = await new Mailbox().listen()
  const real = await startBank({ PORT: '0', SMTP_URL: mailbox.url, DEMO_EMAIL: 'me@visitor.example' })
  const ana = await new Visitor(real).signIn()
  await ana.post('/transfer/draft', { amount: '50', payee: 'Ben' }).expect(303)
  const [mail] = await mailbox.mails(1)
  expect(mail?.to).toEqual(['me@visitor.example'])
  const { text } = await ana.get('/inbox').expect(200)
  expect(text).toContain('SMTP_URL is set')
  expect((await ana.get('/2fa')).text).not.toContain('Your code lands in the')
  await real.close()
  await mailbox.close()
})

test('the inbox leads to the workbench, which shows the mails and pages of the bank', async () => {
  const visitor = new Visitor(bank)
  expect((await visitor.get('/inbox').expect(200)).text).toContain('href="/workbench/"')
  expect((await visitor.get('/workbench/').expect(200)).text).toContain('Your Pebble Bank code')
  const page = await visitor.get('/workbench/frame?view=page/code').expect(200)
  expect(page.text).toContain('Pebble Bank')
})

test.each([
  ['listens to the network', { HOST: '0.0.0.0' }],
  ['runs in production', { NODE_ENV: 'production' }],
])('there is no workbench in a bank that %s', async (_what, environment) => {
  const other = await startBank({ PORT: '0', ...environment })
  const visitor = new Visitor(other)
  await visitor.get('/workbench/').expect(404)
  expect((await visitor.get('/inbox').expect(200)).text).not.toContain('workbench')
  await other.close()
})

describe('the built server', () => {
  let server: ChildProcess
  afterEach(() => server.kill('SIGKILL'))

  function start(env: Record<string, string>): { said: (what: RegExp) => Promise<RegExpExecArray> } {
    let output = ''
    server = spawn(process.execPath, [SERVER], { env: { PATH: process.env.PATH, ...env } })
    const closed = once(server, 'close')
    const listeners = new Set<() => void>()
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        for (const wake of listeners) wake()
      })
    }
    const said = async (what: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const found = what.exec(output)
        if (found) return found
        const more = new Promise<void>((resolve) => void listeners.add(resolve))
        const ended = await Promise.race([more, closed])
        if (ended && !what.test(output)) throw new Error(`it ended without ${String(what)}:\n${output}`)
      }
    }
    return { said }
  }

  test('starts without any setting but a port, responds, and closes on SIGTERM', async () => {
    const { said } = start({ PORT: '0' })
    const [, url = ''] = await said(/open at (http:\/\/localhost:\d+)/)
    await said(/OTP_SECRET and SESSION_SECRET are not set/)
    const { text } = await request(url).get('/').set(BROWSER).expect(200)
    expect(text).toContain('Sign in as Ana')
    const exit = once(server, 'exit')
    server.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  })

  test('says in one line that a port is in use, and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { said } = start({ PORT: String(port) })
    const exit = once(server, 'exit')
    const [line] = await said(/^.*\n$/)
    expect(line).toContain(`Port ${port} is taken. Set PORT to another one`)
    expect(await exit).toEqual([1, null])
    other.close()
  })

  test.each([
    [{ PORT: 'http' }, /PORT is "http"/],
    [{ PORT: '0', OTP_SECRET: 'short' }, /option `secret`/],
  ])('a mistake in the environment %j is printed without a stack', async (env, reason) => {
    const { said } = start(env)
    const exit = once(server, 'exit')
    const [line] = await said(/^.*\n$/)
    expect(line).toMatch(reason)
    expect(await exit).toEqual([1, null])
  })
})
