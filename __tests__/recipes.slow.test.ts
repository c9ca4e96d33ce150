import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import request from 'supertest'
import { BROWSER, JSON_CLIENT } from './helpers/host-app.js'
import { Mailbox } from './helpers/mailbox.js'
import { snippet } from './helpers/readme.js'
import { compiled, RecipeProject } from './helpers/recipe-project.js'
import { RecipeVisitor } from './helpers/recipe-visitor.js'
import { describeWithRedis, RedisServer } from './helpers/redis-server.js'

/** What the programs import, by major version. */
const PACKAGES = [
  'express@5 express-session@1 passport@0.7 passport-local@1 passport-oauth2@1 helmet@8',
  'lusca@1 csurf@1 csrf-sync@4 csrf-csrf@4 cookie-parser@1 ejs@3 pug@3 connect-redis@9 redis@6',
  '@nestjs/core@11 @nestjs/common@11 @nestjs/platform-express@11 reflect-metadata@0.2 rxjs@7',
].flatMap((line) => line.split(' '))

jest.setTimeout(30_000)

let mailbox: Mailbox
let project: RecipeProject
const servers: Server[] = []
beforeAll(async () => {
  project = await RecipeProject.install(PACKAGES)
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

/** Runs a program of the docs as it stands, unless another source is given. */
async function visit(name: string, source = snippet(name), env: NodeJS.ProcessEnv = {}): Promise<RecipeVisitor> {
  const origin = await project.runSource(name, source, { SMTP_URL: mailbox.url, ...env })
  return new RecipeVisitor(origin, mailbox)
}

async function signedIn(...program: Parameters<typeof visit>): Promise<RecipeVisitor> {
  const visitor = await visit(...program)
  await visitor.post('/sign-in').send({})
  return visitor
}

/** A server that lives as long as the test; resolves with its origin. */
async function listen(handler: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('sign in by mailed code: an address, a code, the account; a fresh code only where it is asked for', async () => {
  const cleo = await visit('sign-in-by-code')
  expect((await cleo.get('/account').set(BROWSER).expect(303)).get('Location')).toBe('/2fa')
  const asked = await cleo.submit(await cleo.open('/2fa'), { email: 'Cleo@visitor.example' })
  await mailbox.mailTo('Cleo@visitor.example')
  const verified = await cleo.typeCode(await cleo.open(asked))
  expect(verified.text).toContain('href="/account"')
  expect((await cleo.get('/account').expect(200)).text).toContain('Hello Cleo@visitor.example')
  await cleo.get('/api-keys').expect(200)
  await cleo.post('/sign-out').expect(303)
  await cleo.get('/account').expect(303)
})

describe('after Passport', () => {
  test('with a password: the sign-in mails the code, and the next sign-in asks for another one', async () => {
    const ana = await visit('passport-local')
    expect((await ana.get('/account').set(BROWSER).expect(303)).get('Location')).toBe('/sign-in')
    const signIn = (password: string) => ana.post('/sign-in').type('form').send({ email: 'ana@example.com', password })
    expect((await signIn('wrong')).get('Location')).toBe('/sign-in')
    for (const turn of [1, 2]) {
      const before = mailbox.received.length
      const led = await signIn('correct horse')
      await mailbox.mails(before + 1)
      expect([turn, led.get('Location')]).toEqual([turn, expect.stringMatching(/^\/2fa\?for=/)])
      const verified = await ana.typeCode(await ana.open(led))
      expect(verified.text).toContain('href="/account"')
      expect((await ana.get('/account').expect(200)).text).toContain('Hello ana@example.com')
      await ana.post('/sign-out').expect(303)
    }
  })

  test('with another provider: back from there to the guarded page, which asks for the code', async () => {
    const provider = await listen((req, res) => {
      const { pathname, searchParams } = new URL(req.url ?? '', 'http://provider')
      const back = `${searchParams.get('redirect_uri') ?? ''}?code=granted&state=${searchParams.get('state') ?? ''}`
      const isStart = pathname === '/authorize'
      res.writeHead(isStart ? 302 : 200, isStart ? { Location: back } : { 'Content-Type': 'application/json' })
      res.end(JSON.stringify({ access_token: 'token', token_type: 'Bearer', sub: 'ana', email: 'ana@example.com' }))
    })
    const env = { PROVIDER: provider, CLIENT_ID: 'acme', CLIENT_SECRET: 'secret' }
    const ana = await visit('passport-oauth2', snippet('passport-oauth2'), env)
    const led = await ana.get('/account?tab=2').set(BROWSER).expect(303)
    expect(led.get('Location')).toBe('/sign-in?next=%2Faccount%3Ftab%3D2')
    const away = await ana.open(led)
    const back = await request(away.get('Location') ?? '').get('')
    const { pathname, search } = new URL(back.get('Location') ?? '')
    expect((await ana.get(pathname + search).expect(303)).get('Location')).toBe('/account?tab=2')
    const verified = await ana.passAsBrowser('/account?tab=2')
    expect(verified.text).toContain('href="/account?tab')
    await ana.get('/account').expect(200, /Hello ana@example\.com/)
  })
})

describe('sign-out', () => {
  test.each(['/sign-out', '/sign-out-and-clear'])('%s: who signs in again is asked for a code again', async (way) => {
    const ana = await signedIn('sign-out')
    await ana.withCode(() => ana.get('/account'))
    await ana.get('/account').expect(200)
    await ana.post(way).expect(303)
    await ana.post('/sign-in')
    await ana.get('/account').expect(401)
  })

  test('without otp.forget() the same user comes back without a code, as the page says', async () => {
    const ana = await signedIn('sign-out', snippet('sign-out').replace('otp.forget(req)', ''))
    await ana.withCode(() => ana.get('/account'))
    await ana.post('/sign-out').expect(303)
    await ana.post('/sign-in')
    await ana.get('/account').expect(200)
  })
})

test('one dangerous action: a code for this project only, and the button again', async () => {
  const ana = await signedIn('dangerous-action')
  const remove = (name: string) => ana.post(`/projects/${name}/delete`)
  const offer = await ana.open(await remove('Shop').set(BROWSER).expect(303))
  expect(offer.text).toContain('Delete the project Shop')
  const verified = await ana.typeCode(await ana.open(await ana.submit(offer)))
  expect(verified.text).toContain('href="/projects/Shop/delete"')
  await remove('Website').expect(401)
  await remove('Shop').expect(303)
  await remove('Shop').expect(401)
  expect((await ana.get('/projects')).text).not.toContain('Shop')
})

test('a new address: a code to the old one, then a code to the new one, which counts only after that', async () => {
  const ana = await signedIn('confirm-new-address')
  await ana.withCode(() => ana.get('/profile/address'))
  const change = (email: string) => ana.post('/profile/address').type('form').send({ email })
  await change('<b>').expect(422)
  const page = await ana.open(await change('ana@new.example').expect(303))
  expect(mailbox.last.to).toEqual(['ana@new.example'])
  expect((await ana.get('/profile')).text).toContain('Codes go to ana@example.com. <a href="/confirm-address">')
  const verified = await ana.typeCode(page)
  expect(verified.text).toContain('href="/profile"')
  expect((await ana.get('/profile')).text).toContain('Codes go to ana@new.example. ')
  await ana.withCode(() => ana.get('/profile/address'), 'ana@new.example')
})

test('API tokens: made behind a code for their scope; a guard without a session answers 503', async () => {
  const guarded = "app.get('/api/guarded', (...args) => otp.requireOtp()(...args), (req, res) => res.send('open'))"
  const ana = await signedIn(
    'api-tokens',
    snippet('api-tokens').replace('// The website', `${guarded}\n// The website`),
  )
  const make = (scope: string) => () => ana.post('/tokens').send({ scope })
  await make('everything')().expect(422)
  const { body } = await ana.withCode(make('orders'))
  await make('orders')().expect(401)
  const call = (path: string, token: string) => ana.get(path).set('Authorization', `Bearer ${token}`)
  await call('/api/orders', 'guessed').expect(401)
  await call('/api/orders', String(body.token)).expect(200, { of: 'ana', orders: [] })
  await call('/api/guarded', String(body.token)).set(JSON_CLIENT).expect(503)
})

describe('your own layout', () => {
  test.each(['layout.ejs', 'layout.pug'])('%s: pages and problem pages stand in it, escaped', async (file) => {
    project.write(`views/${file}`, snippet(file))
    const source = snippet('own-layout')
      .replace("'ejs'", `'${file.slice(-3)}'`)
      .replace('ana@', 'a&b@')
    const visitor = await visit('own-layout', source)
    const problem = await visitor.get('/account').set(BROWSER).expect(401)
    expect(problem.text).toMatch(/<header>Acme\s*<\/header>/)
    await visitor.post('/sign-in')
    const { text } = await visitor.open(await visitor.open('/account'))
    expect(text).toMatch(/<header>Acme\s+· a&amp;b@example\.com\s*<\/header>/)
    expect(text).toMatch(/<title>[^<]+ · Acme<\/title>/)
    expect(text).toContain('/2fa/assets/otp.css')
    expect(text).toContain('action="/2fa/send')
  })
})

test('Nest: @UseGuards() leads a browser to the page, tells other clients 401, and opens after the code', async () => {
  const ana = await signedIn('nest', compiled(snippet('nest')))
  await ana.passAsBrowser('/account')
  await ana.get('/account').expect(200, 'Hello ana@example.com')
  await ana.post('/sign-out').expect(201)
  await ana.post('/sign-in').expect(201)
  await ana
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
  const ana = new RecipeVisitor(proxy, mailbox)
  await ana.post('/shop/sign-in').expect(303)
  const verified = await ana.passAsBrowser('/shop/account')
  expect(verified.text).toContain('href="/shop/account"')
  await ana.get('/shop/account').expect(200, 'Hello ana@example.com')
})

describeWithRedis('several apps on one Redis', () => {
  test('count apart and keep their sessions apart', async () => {
    const redis = await RedisServer.start()
    try {
      const [shop, blog] = await Promise.all(
        ['shop', 'blog'].map((name) => signedIn('shared-redis', undefined, { REDIS_URL: redis.url, APP: name })),
      )
      if (!shop || !blog) throw new Error('two programs were started')
      const another = async () => {
        await shop.post('/2fa/restart').send({}).expect(200)
        return shop.post('/2fa/send').send({})
      }
      for (let sends = 0; sends < 5; sends++) expect((await another()).status).toBe(200)
      expect((await another()).status).toBe(429)
      await blog.withCode(() => blog.get('/account'))
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
      const ana = await visit(name, source, { CSRF_SECRET: 'of the CSRF middleware' })
      await ana.post('/sign-in').expect(403)
      await ana.submit(await ana.open('/sign-in'))
      const verified = await ana.passAsBrowser('/account')
      expect(verified.get('Referrer-Policy')).toBe('same-origin')
      await ana.get('/account').expect(200, 'Hello ana@example.com')
    },
  )
})
