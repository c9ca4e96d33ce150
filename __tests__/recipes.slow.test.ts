import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import request from 'supertest'
import { type Agent, BROWSER, JSON_CLIENT } from './helpers/host-app.js'
import { Mailbox } from './helpers/mailbox.js'
import { snippet } from './helpers/readme.js'
import { compiled, RecipeProject } from './helpers/recipe-project.js'
import { describeWithRedis, RedisServer } from './helpers/redis-server.js'

/** What the programs import, by major version. */
const PACKAGES = [
  'express@5 express-session@1 passport@0.7 passport-local@1 passport-oauth2@1 helmet@8',
  'lusca@1 csurf@1 csrf-sync@4 csrf-csrf@4 cookie-parser@1 ejs@3 pug@3 connect-redis@9 redis@6',
  '@nestjs/core@11 @nestjs/common@11 @nestjs/platform-express@11 reflect-metadata@0.2 rxjs@7',
].flatMap((line) => line.split(' '))

jest.setTimeout(30_000)

let mailbox: Mailbox
const servers: Server[] = []
let project: RecipeProject
beforeAll(async () => {
  project = new RecipeProject(PACKAGES)
  mailbox = await new Mailbox().listen()
}, 120_000)
afterEach(() => {
  project.stop()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})
afterAll(async () => {
  project.remove()
  await mailbox.close()
})

/** Runs a program of the docs as it stands; returns a visitor with a cookie jar. */
async function visit(name: string, source = snippet(name), env: NodeJS.ProcessEnv = {}): Promise<Agent> {
  return request.agent(await project.runSource(name, source, { SMTP_URL: mailbox.url, ...env }))
}

/** A visitor who has signed in. */
async function signedIn(name: string, source = snippet(name), env: NodeJS.ProcessEnv = {}): Promise<Agent> {
  const jar = await visit(name, source, env)
  await jar.post('/sign-in').send({})
  return jar
}

/** Runs `request` with a code: refused first, then with the code that was mailed to `to`. */
async function withCode(jar: Agent, call: () => request.Test, to = 'ana@example.com'): Promise<request.Response> {
  const { body } = await call().set(JSON_CLIENT).expect(401)
  await typeCode(jar, body as Refusal, to)
  return call()
}

interface Refusal {
  readonly for: string
  readonly send_url: string
  readonly verify_url: string
}

async function typeCode(jar: Agent, { for: sealed, send_url, verify_url }: Refusal, to: string): Promise<void> {
  const before = mailbox.received.length
  await jar.post(send_url).send({ for: sealed }).expect(200)
  await mailbox.mails(before + 1)
  expect(mailbox.last.to).toEqual([to])
  await jar.post(verify_url).send({ for: sealed, code: mailbox.code }).expect(200)
}

/** Submits the form of a page as a browser without script, with its hidden fields. */
async function submit(jar: Agent, page: request.Response, fields: object): Promise<request.Response> {
  const [, attributes = '', inner = ''] = /<form([^>]*)>([^]*?)<\/form>/.exec(page.text) ?? []
  const unescape = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&#x3D;', '=')
  const action = unescape(/action="([^"]*)"/.exec(attributes)?.[1] ?? '') || new URL(page.request.url).pathname
  const hidden = [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  const values = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, unescape(value)]))
  return jar
    .post(action)
    .set(BROWSER)
    .type('form')
    .send({ ...values, ...fields })
}

test('sign in by mailed code: an address, a code, the account; a fresh code only where it is asked for', async () => {
  const jar = await visit('sign-in-by-code')
  expect((await jar.get('/account').set(BROWSER).expect(303)).get('Location')).toBe('/2fa')
  const asked = await submit(jar, await jar.get('/2fa').set(BROWSER), { email: 'Cleo@visitor.example' })
  await mailbox.mailTo('Cleo@visitor.example')
  const typed = await submit(jar, await jar.get(asked.get('Location') ?? '').set(BROWSER), { code: mailbox.code })
  expect(
    (
      await jar
        .get(typed.get('Location') ?? '')
        .set(BROWSER)
        .expect(200)
    ).text,
  ).toContain('href="/account"')
  expect((await jar.get('/account').expect(200)).text).toContain('Hello Cleo@visitor.example')
  await jar.get('/api-keys').expect(200)
  await jar.post('/sign-out').expect(303)
  await jar.get('/account').expect(303)
})

describe('after Passport', () => {
  test('with a password: the sign-in mails the code, and the next sign-in asks for another one', async () => {
    const jar = await visit('passport-local')
    expect((await jar.get('/account').set(BROWSER).expect(303)).get('Location')).toBe('/sign-in')
    const signIn = (password: string) => jar.post('/sign-in').type('form').send({ email: 'ana@example.com', password })
    expect((await signIn('wrong')).get('Location')).toBe('/sign-in')
    for (const turn of [1, 2]) {
      const before = mailbox.received.length
      const led = await signIn('correct horse')
      await mailbox.mails(before + 1)
      expect([turn, led.get('Location')]).toEqual([turn, expect.stringMatching(/^\/2fa\?for=/)])
      const typed = await submit(jar, await jar.get(led.get('Location') ?? '').set(BROWSER), { code: mailbox.code })
      expect((await jar.get(typed.get('Location') ?? '').set(BROWSER)).text).toContain('href="/account"')
      expect((await jar.get('/account').expect(200)).text).toContain('Hello ana@example.com')
      await jar.post('/sign-out').expect(303)
    }
  })

  test('with another provider: back from there to the guarded page, which asks for the code', async () => {
    const provider = await listen((req, res) => {
      const { pathname, searchParams } = new URL(req.url ?? '', 'http://provider')
      if (pathname === '/authorize') {
        const [back, state] = [searchParams.get('redirect_uri') ?? '', searchParams.get('state') ?? '']
        res.writeHead(302, { Location: `${back}?code=granted&state=${state}` }).end()
        return
      }
      const answer = { access_token: 'token', token_type: 'Bearer', sub: 'ana', email: 'ana@example.com' }
      res.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer))
    })
    const env = { PROVIDER: provider, CLIENT_ID: 'acme', CLIENT_SECRET: 'secret' }
    const jar = await visit('passport-oauth2', snippet('passport-oauth2'), env)
    const led = (await jar.get('/account?tab=2').set(BROWSER).expect(303)).get('Location') ?? ''
    expect(led).toBe('/sign-in?next=%2Faccount%3Ftab%3D2')
    const away = (await jar.get(led).expect(302)).get('Location') ?? ''
    const back = (await request(away).get('').expect(302)).get('Location') ?? ''
    const { pathname, search } = new URL(back)
    expect((await jar.get(pathname + search).expect(303)).get('Location')).toBe('/account?tab=2')
    await withCode(jar, () => jar.get('/account'))
    await jar.get('/account').expect(200, /Hello ana@example\.com/)
  })
})

describe('sign-out', () => {
  test.each(['/sign-out', '/sign-out-and-clear'])('%s: who signs in again is asked for a code again', async (way) => {
    const jar = await signedIn('sign-out')
    await withCode(jar, () => jar.get('/account'))
    await jar.get('/account').expect(200)
    await jar.post(way).expect(303)
    await jar.post('/sign-in')
    await jar.get('/account').expect(401)
  })

  test('without otp.forget() the same user comes back without a code, as the page says', async () => {
    const jar = await signedIn('sign-out', snippet('sign-out').replace('otp.forget(req)', ''))
    await withCode(jar, () => jar.get('/account'))
    await jar.post('/sign-out').expect(303)
    await jar.post('/sign-in')
    await jar.get('/account').expect(200)
  })
})

test('one dangerous action: a code for this project only, and the button again', async () => {
  const jar = await signedIn('dangerous-action')
  const remove = (name: string) => jar.post(`/projects/${name}/delete`)
  const led = await remove('Shop').set(BROWSER).expect(303)
  const asked = await submit(jar, await jar.get(led.get('Location') ?? '').set(BROWSER), {})
  const page = await jar.get(asked.get('Location') ?? '').set(BROWSER)
  expect(page.text).toContain('Delete the project Shop')
  const typed = await submit(jar, page, { code: mailbox.code })
  const verified = await jar.get(typed.get('Location') ?? '').set(BROWSER)
  expect(verified.text).toContain('href="/projects/Shop/delete"')
  await remove('Website').expect(401)
  await remove('Shop').expect(303)
  await remove('Shop').expect(401)
  expect((await jar.get('/projects')).text).not.toContain('Shop')
})

test('a new address: a code to the old one, then a code to the new one, which counts only after that', async () => {
  const jar = await signedIn('confirm-new-address')
  await withCode(jar, () => jar.get('/profile/address'))
  const change = (email: string) => jar.post('/profile/address').type('form').send({ email })
  await change('<b>').expect(422)
  const led = await change('ana@new.example').expect(303)
  const page = await jar.get(led.get('Location') ?? '').set(BROWSER)
  expect(mailbox.last.to).toEqual(['ana@new.example'])
  expect((await jar.get('/profile')).text).toContain('Codes go to ana@example.com. <a href="/confirm-address">')
  const typed = await submit(jar, page, { code: mailbox.code })
  expect(
    (
      await jar
        .get(typed.get('Location') ?? '')
        .set(BROWSER)
        .expect(200)
    ).text,
  ).toContain('href="/profile"')
  expect((await jar.get('/profile')).text).toContain('Codes go to ana@new.example. ')
  await withCode(jar, () => jar.get('/profile/address'), 'ana@new.example')
})

test('API tokens: made behind a code for their scope; a guard without a session answers 503', async () => {
  const source = snippet('api-tokens').replace(
    '// The website',
    "app.get('/api/guarded', (...args) => otp.requireOtp()(...args), (req, res) => res.send('open'))\n// The website",
  )
  const jar = await signedIn('api-tokens', source)
  const make = (scope: string) => () => jar.post('/tokens').send({ scope })
  await make('everything')().expect(422)
  const { body } = await withCode(jar, make('orders'))
  await jar.post('/tokens').send({ scope: 'invoices' }).expect(401)
  const call = (token: string) => jar.get('/api/orders').set('Authorization', `Bearer ${token}`)
  await call('guessed').expect(401)
  await call(String(body.token)).expect(200, { of: 'ana', orders: [] })
  await jar.get('/api/guarded').set('Authorization', `Bearer ${body.token}`).set(JSON_CLIENT).expect(503)
})

describe('your own layout', () => {
  test.each(['ejs', 'pug'])('in %s: pages and problem pages stand in it, names are escaped', async (engine) => {
    project.write(`views/layout.${engine}`, snippet(`layout.${engine}`))
    const source = snippet('own-layout').replace("'ejs'", `'${engine}'`).replace('ana@example.com', 'a&b@example.com')
    const jar = await visit('own-layout', source)
    const stranger = await jar.get('/account').set(BROWSER).expect(401)
    expect(stranger.text).toMatch(/<header>Acme\s*<\/header>/)
    await jar.post('/sign-in')
    const led = await jar.get('/account').set(BROWSER).expect(303)
    const { text } = await jar
      .get(led.get('Location') ?? '')
      .set(BROWSER)
      .expect(200)
    expect(text).toMatch(/<header>Acme\s+· a&amp;b@example\.com\s*<\/header>/)
    expect(text).toMatch(/<title>[^<]+ · Acme<\/title>/)
    expect(text).toContain('/2fa/assets/otp.css')
    expect(text).toContain('action="/2fa/send')
  })
})

test('Nest: @UseGuards() leads a browser to the page, tells other clients 401, and opens after the code', async () => {
  const jar = await signedIn('nest', compiled(snippet('nest')))
  const led = await jar.get('/account').set(BROWSER).expect(303)
  expect(led.get('Location')).toMatch(/^\/2fa\?for=/)
  await withCode(jar, () => jar.get('/account'))
  await jar.get('/account').expect(200, 'Hello ana@example.com')
  await jar.post('/sign-out').expect(201)
  await jar.post('/sign-in').expect(201)
  await jar
    .get('/account')
    .set(JSON_CLIENT)
    .expect(401)
    .expect('Content-Type', /^application\/problem\+json/)
})

test('behind a proxy that takes a prefix away: every URL has the prefix, and the session stays', async () => {
  const origin = await project.run('behind-nginx', { SMTP_URL: mailbox.url })
  const proxy = await listen((req, res) => {
    const headers = { ...req.headers, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'http' }
    const options = { method: req.method ?? 'GET', headers }
    const passed = forward(`${origin}${req.url?.replace(/^\/shop/, '') ?? ''}`, options, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    req.pipe(passed)
  })
  const jar = request.agent(proxy)
  await jar.post('/shop/sign-in').expect(303)
  const led = await jar.get('/shop/account').set(BROWSER).expect(303)
  expect(led.get('Location')).toMatch(/^\/shop\/2fa\?for=/)
  const asked = await submit(jar, await jar.get(led.get('Location') ?? '').set(BROWSER), {})
  const typed = await submit(jar, await jar.get(asked.get('Location') ?? '').set(BROWSER), { code: mailbox.code })
  const verified = await jar.get(typed.get('Location') ?? '').set(BROWSER)
  expect(verified.text).toContain('href="/shop/account"')
  await jar.get('/shop/account').expect(200, 'Hello ana@example.com')
})

describeWithRedis('several apps on one Redis', () => {
  test('count apart and keep their sessions apart', async () => {
    const redis = await RedisServer.start()
    try {
      const env = { REDIS_URL: redis.url }
      const shop = await signedIn('shared-redis', snippet('shared-redis'), { ...env, APP: 'shop' })
      const blog = await signedIn('shared-redis', snippet('shared-redis'), { ...env, APP: 'blog' })
      for (let sends = 0; sends < 5; sends++) {
        await shop.post('/2fa/restart').send({}).expect(200)
        await shop.post('/2fa/send').send({}).expect(200)
      }
      await shop.post('/2fa/restart').send({}).expect(200)
      await shop.post('/2fa/send').send({}).expect(429)
      await withCode(blog, () => blog.get('/account'))
      await blog.get('/account').expect(200)
      await shop.get('/account').expect(401)
      const keys = (await redis.ask('KEYS', '*')) as string[]
      const prefixes = new Set(keys.map((key) => key.split(':', 2).join(':')))
      expect(prefixes).toEqual(new Set(['shop:session', 'shop:otp', 'blog:session', 'blog:otp']))
    } finally {
      await redis.stop()
    }
  })
})

describe('beside a CSRF middleware', () => {
  /** The program with the router before lusca, with the lines of another middleware before the router instead. */
  const after = (name: string): string =>
    snippet('csrf-before')
      .replace(/import lusca.*\n/, '')
      .replace(/app\.use\(express\.urlencoded[^]*?lusca\.csrf\(\)\)\n/, '')
      .replace('const otp = emailOtp({', `${snippet(name)}\nconst otp = emailOtp({\n  formFields,`)

  test.each(['csrf-before', 'csrf-lusca', 'csrf-csurf', 'csrf-sync', 'csrf-csrf'])(
    '%s: our forms pass, and those of the host without a token do not',
    async (name) => {
      const source = name === 'csrf-before' ? snippet(name) : after(name)
      const jar = await visit(name, source, { CSRF_SECRET: 'of the CSRF middleware' })
      await jar.post('/sign-in').expect(403)
      await submit(jar, await jar.get('/sign-in'), {})
      const led = await jar.get('/account').set(BROWSER).expect(303)
      const asked = await submit(jar, await jar.get(led.get('Location') ?? '').set(BROWSER), {})
      const page = await jar.get(asked.get('Location') ?? '').set(BROWSER)
      expect(page.headers).toMatchObject({ 'referrer-policy': 'same-origin' })
      const typed = await submit(jar, page, { code: mailbox.code })
      await jar
        .get(typed.get('Location') ?? '')
        .set(BROWSER)
        .expect(200)
      await jar.get('/account').expect(200, 'Hello ana@example.com')
    },
  )
})

type Handler = (req: IncomingMessage, res: ServerResponse) => void

/** A server that lives as long as the test; resolves with its origin. */
async function listen(handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
