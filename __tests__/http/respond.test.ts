import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Response } from 'supertest'
import {
  ANA,
  type Agent,
  BROWSER,
  HostApp,
  type HostOptions,
  JSON_CLIENT,
  NAVIGATE,
  submit,
} from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { ScriptedSmtp } from '../helpers/smtp-script.js'
import { MemoryStore, OtpError, type OtpOptions, type OtpStore, type OtpUser } from '../../src/index.js'

let host: HostApp
afterEach(() => host.close())

/** All kinds of answers: how each comes about, and its status for a page and for JSON. */
const answers: [string, (jar: Agent, code: string) => ReturnType<Agent['get']>, number, number][] = [
  ['the page', (jar) => jar.get('/2fa'), 200, 200],
  [
    'a wrong code',
    (jar, code) =>
      jar
        .post('/2fa/verify')
        .type('form')
        .send({ code: wrongCode(code) }),
    303,
    422,
  ],
  ['a code of the wrong form', (jar) => jar.post('/2fa/verify').type('form').send({ code: '1' }), 303, 422],
  ['the right code', (jar, code) => jar.post('/2fa/verify').type('form').send({ code }), 303, 200],
  ['a send too soon', (jar) => jar.post('/2fa/send').type('form').send({}), 303, 429],
  ['the page after it', (jar) => jar.get('/2fa/continue'), 303, 200],
  ['an altered step-up', (jar) => jar.get('/2fa?for=x'), 409, 409],
  ['a restart', (jar) => jar.post('/2fa/restart').type('form').send({}), 303, 200],
  ['a GET of a POST route', (jar) => jar.get('/2fa/send'), 303, 303],
  ['a bad request', (jar) => jar.post('/2fa/verify').type('form').send('code[]=1'), 400, 400],
  ['a large request', (jar) => jar.post('/2fa/verify').type('form').send('x'.repeat(16_385)), 413, 413],
  ['a cross-site request', (jar) => jar.post('/2fa/send').set('Origin', 'https://evil.example'), 403, 403],
  ['the guard', (jar) => jar.get('/secret'), 303, 401],
  ['the guard of an action', (jar) => jar.post('/transfer').type('form').send({ amount: '5' }), 303, 401],
]

describe('W3: headers', () => {
  function expectHeaders(answer: Response): void {
    expect(answer.get('Cache-Control')).toBe('no-store')
    expect(answer.get('Referrer-Policy')).toBe('same-origin')
    expect(answer.get('X-Content-Type-Options')).toBe('nosniff')
    const policy = answer.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("img-src 'self'; font-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
  }

  test.each(answers)('W3: %s carries them', async (_what, ask, asPage, asJson) => {
    host = await HostApp.start()
    for (const [headers, status] of [
      [BROWSER, asPage],
      [JSON_CLIENT, asJson],
    ] as const) {
      const { jar, code } = await host.asked()
      const answer = await ask(jar, code).set(headers)
      expect(answer.status).toBe(status)
      expectHeaders(answer)
      if (status >= 400) {
        expect(answer.type).toBe(headers === BROWSER ? 'text/html' : 'application/problem+json')
      }
    }
  })

  test.each(['/2fa', '/secret'])(
    'W3: so do the redirect to the sign-in and the error without one, at %s',
    async (url) => {
      host = await HostApp.start()
      expectHeaders(await host.jar().get(url).set(BROWSER).expect(401))
      await host.close()
      host = await HostApp.start({ otp: { signIn: '/sign-in' } })
      const led = await host.jar().get(url).set(BROWSER).expect(303)
      expectHeaders(led)
      expect(led.get('Location')).toBe('/sign-in')
      expect((await host.jar().get(url).set(JSON_CLIENT).expect(401)).body.code).toBe('sign_in_required')
    },
  )

  test('W3: a host may set a policy of its own, or send one itself', async () => {
    host = await HostApp.start({ otp: { contentSecurityPolicy: "default-src 'self'" } })
    expect((await host.jar().get('/2fa')).get('Content-Security-Policy')).toBe("default-src 'self'")
    await host.close()
    host = await HostApp.start({ otp: { contentSecurityPolicy: false } })
    expect((await host.jar().get('/2fa')).get('Content-Security-Policy')).toBeUndefined()
  })
})

describe('a page or JSON', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a navigation that also speaks JSON', { 'Sec-Fetch-Dest': 'document', Accept: 'application/json' }, 'text/html'],
    ['Accept: application/json', { Accept: 'application/json' }, 'application/json'],
    ['Accept: application/problem+json', { Accept: 'application/problem+json' }, 'application/json'],
    ['an older browser', { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, 'text/html'],
    ['fetch() with its usual Accept', { 'Sec-Fetch-Dest': 'empty', Accept: '*/*' }, 'application/json'],
    ['no Accept', {}, 'text/html'],
    ['Accept: */*', { Accept: '*/*' }, 'text/html'],
    ['a JSON body type', { 'Content-Type': 'application/json' }, 'application/json'],
    ['JSON by quality', { Accept: 'text/*;q=0.5, application/*' }, 'application/json'],
  ])('%s', async (_who, headers, type) => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    expect((await jar.get('/2fa').set(headers).expect(200)).type).toBe(type)
  })

  /** Watches the functions with which Express reads Accept and Accept-Language. */
  const watch = (): [jest.SpyInstance, jest.SpyInstance] => [
    jest.spyOn(host.app.request, 'accepts'),
    jest.spyOn(host.app.request, 'acceptsLanguages'),
  ]

  const LONG = 'text/html,'.repeat(700)

  test.each(['/2fa', '/secret', '/2fa/assets/none'])('at %s a long Accept header is not parsed', async (url) => {
    host = await HostApp.start({ otp: { signIn: '/sign-in' } })
    const jar = await host.signedIn()
    const [types, languages] = watch()
    await jar.get(url).set({ Accept: LONG, 'Accept-Language': LONG })
    await host.jar().get(url).set({ Accept: LONG, 'Accept-Language': LONG })
    expect(types).not.toHaveBeenCalled()
    expect(languages).not.toHaveBeenCalled()
  })

  test('a long Accept header counts as none, and a long Accept-Language too', async () => {
    const views = mkdtempSync(path.join(tmpdir(), 'otp-'))
    mkdirSync(path.join(views, 'locales'))
    writeFileSync(path.join(views, 'locales', 'de.json'), '{}')
    host = await HostApp.start({ otp: { views } })
    const jar = await host.signedIn()
    const long = { Accept: `application/json,${LONG}`, 'Accept-Language': `de,${LONG}` }
    const page = await jar.get('/2fa').set(long).expect(200)
    expect(page.type).toBe('text/html')
    expect(page.text).toContain('<html lang="en"')
    const short = await jar.get('/2fa').set({ Accept: 'text/*', 'Accept-Language': 'de' }).expect(200)
    expect(short.text).toContain('<html lang="de"')
    await jar.get('/secret').set({ Accept: LONG }).expect(401)
    rmSync(views, { recursive: true })
  })

  const broken = (): never => {
    throw new Error('the database is down')
  }
  test.each<[string, string, number, () => OtpUser]>([
    ['a page', '/2fa', 200, () => ANA],
    ['a guarded route', '/secret', 401, () => ANA],
    ['a bad request', '/2fa?for=1&for=2', 400, () => ANA],
    ['an error', '/2fa', 500, broken],
  ])('for %s the format is negotiated once', async (_name, url, status, userOf) => {
    host = await HostApp.start({ otp: { user: () => userOf() } })
    const [types] = watch()
    await host.jar().get(url).set({ Accept: 'text/html;q=0.9,*/*' }).expect(status)
    expect(types).toHaveBeenCalledTimes(1)
  })

  test('a problem has the members of RFC 9457, our code, and its own', async () => {
    host = await HostApp.start()
    const { jar, code } = await host.asked()
    const wrong = await jar
      .post('/2fa/verify')
      .send({ code: wrongCode(code) })
      .expect(422)
    expect(wrong.type).toBe('application/problem+json')
    expect(wrong.body).toEqual({
      type: 'urn:express-email-otp:problem:wrong_code',
      title: 'That code is not right',
      status: 422,
      detail: 'That code is not right. Guesses left: 4.',
      code: 'wrong_code',
      attempts_left: 4,
    })
    const soon = await jar.post('/2fa/send').send({}).expect(429)
    expect(soon.body).toMatchObject({ code: 'too_many_requests', retry_after: 30, status: 429 })
    expect(soon.get('Retry-After')).toBe('30')
  })

  test('GET /2fa gives the state with the same names as the answer to a send', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const state = async (): Promise<unknown> => (await jar.get('/2fa').set(JSON_CLIENT).expect(200)).body
    expect(await state()).toEqual({ state: 'send', purpose: 'access' })
    const sent = await jar.post('/2fa/send').send({}).expect(200)
    expect(await state()).toEqual({ state: 'code', purpose: 'access', ...(sent.body as object) })
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    expect(await state()).toEqual({ state: 'verified', verified: true, purpose: 'access', return_to: '/' })
  })
})

describe('W6: whatever is thrown, the response reveals nothing', () => {
  const LEAK = 'sk-live-hunter2 ana@example.com the-id-of-Ana'
  const SOMEONE = { ...ANA, id: 'the-id-of-Ana' }
  const boom = (): never => {
    throw new Error(LEAK)
  }
  const store = (act: 'open' | 'redeem' | 'spend'): OtpStore => {
    const inner = new MemoryStore()
    const broken: OtpStore = {
      open: (request) => inner.open(request),
      redeem: (attempt) => inner.redeem(attempt),
      spend: (request) => inner.spend(request),
    }
    void inner.close()
    return { ...broken, [act]: boom }
  }
  /** A session of which one method can be made to fail. */
  const brokenSession = (act: 'save' | 'regenerate'): RequestHandler => {
    const inner = session({ secret: 'test', resave: false, saveUninitialized: false })
    return (req, res, next) => {
      inner(req, res, (error?: unknown) => {
        const fail = (done: (error: unknown) => void): typeof req.session => {
          done(new Error(LEAK))
          return req.session
        }
        const isOurs = req.path === '/2fa/verify' || (req.path === '/2fa/send' && act === 'save')
        // Regenerating is the store's act, whichever session object asks for it.
        if (isOurs && act === 'save') Object.defineProperty(req.session, act, { value: fail, enumerable: false })
        if (isOurs && act === 'regenerate') req.sessionStore.regenerate = (_req, done) => void done(new Error(LEAK))
        next(error)
      })
    }
  }
  const typed: Partial<OtpOptions> = { user: () => null, typedEmail: true }
  const guarded = (guard: Parameters<HostApp['otp']['requireOtp']>[0]): HostOptions => ({
    after: (app, otp) => void app.get('/action', otp.requireOtp(guard), (_req, res) => void res.send('the secret')),
  })
  const sends = (jar: Agent) => jar.post('/2fa/send').type('form').send({ email: 'ana@example.com' })
  const verifies = (jar: Agent) => jar.post('/2fa/verify').type('form').send({ code: host.mailbox.code })
  const action = (jar: Agent) => jar.get('/action')

  const points: [string, HostOptions, (jar: Agent) => ReturnType<Agent['get']>, number][] = [
    ['user', { otp: { user: boom } }, (jar) => jar.get('/2fa'), 500],
    ['user, later', { otp: { user: () => Promise.reject(new Error(LEAK)) } }, (jar) => jar.get('/secret'), 500],
    ['accept', { otp: { ...typed, typedEmail: { accept: boom } } }, sends, 500],
    ['onVerified', { otp: { onVerified: boom } }, verifies, 500],
    ['describe', guarded({ describe: boom }), action, 500],
    ['details', guarded({ details: boom }), action, 500],
    ['details that are no JSON', guarded({ details: () => new Map([[LEAK, 1]]) }), action, 400],
    ['locals', { otp: { locals: boom } }, (jar) => jar.get('/2fa'), 500],
    ['store.open', { otp: { store: store('open') } }, sends, 503],
    ['store.redeem', { otp: { store: store('redeem') } }, verifies, 503],
    ['store.spend', { otp: { ...typed, store: store('spend') } }, sends, 503],
    ['session.save', { session: brokenSession('save') }, sends, 503],
    ['session.regenerate', { session: brokenSession('regenerate') }, verifies, 503],
    ['a missing session', { session: (_req, _res, next) => void next() }, (jar) => jar.get('/2fa'), 503],
  ]

  test.each(points)('W6: %s', async (what, options, ask, status) => {
    host = await HostApp.start(options)
    // Only pages are given `locals`.
    for (const headers of what === 'locals' ? [BROWSER] : [BROWSER, JSON_CLIENT]) {
      const jar = host.jar()
      if (what !== 'a missing session') await jar.post('/login').send({ user: SOMEONE }).expect(200)
      if (ask === verifies) await jar.post('/2fa/send').send({}).expect(200)
      const answer = await ask(jar).set(headers)
      expect(answer.status).toBe(status)
      const all = answer.text + JSON.stringify(answer.headers)
      expect(all).not.toMatch(/hunter2|ana@example\.com|the-id-of-Ana|node_modules|\.[jt]s:\d+|\n\s+at /)
      expect(answer.text).not.toContain('the secret')
      if (headers === JSON_CLIENT) expect(answer.body.status).toBe(status)
    }
    const failed = host.events.find(({ type }) => type === 'failed')
    expect(failed && 'error' in failed && failed.error).toBeInstanceOf(OtpError)
  })

  test('W6: a page template that fails as it is rendered', async () => {
    const views = mkdtempSync(path.join(tmpdir(), 'views-'))
    mkdirSync(path.join(views, 'pages'))
    writeFileSync(path.join(views, 'pages', 'send.hbs'), 'hunter2 {{t custom.absent}}')
    host = await HostApp.start({ otp: { views } })
    const answer = await (await host.signedIn()).get('/2fa').set(BROWSER).expect(200)
    rmSync(views, { recursive: true })
    expect(answer.text).toContain('Confirm that it’s you')
    expect(answer.text).not.toMatch(/hunter2|absent|views-/)
    expect(host.events).toMatchObject(Array(2).fill({ type: 'failed', outcome: 'render_failed' }))
  })

  test('W6: what a mail server says is not repeated', async () => {
    const smtp = await ScriptedSmtp.listen({ mail: `550 5.7.60 ${LEAK}` })
    host = await HostApp.start({ otp: { mail: { transport: smtp.url, from: 'no-reply@acme.example' } } })
    const jar = await host.signedIn()
    for (const headers of [NAVIGATE, JSON_CLIENT]) {
      const isPage = headers === NAVIGATE
      const answer = isPage ? await submit(jar, '/2fa/send', {}) : await jar.post('/2fa/send').set(headers).send({})
      expect(answer.status).toBe(isPage ? 200 : 503)
      expect(answer.text).not.toMatch(/hunter2|ana@example/)
    }
    await smtp.close()
  })
})
