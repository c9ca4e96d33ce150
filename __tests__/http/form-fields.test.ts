import { randomUUID } from 'node:crypto'
import express from 'express'
import { type Agent, BROWSER, HostApp, JSON_CLIENT, memorySession } from '../helpers/host-app.js'
import type { OtpOptions } from '../../src/index.js'

declare module 'express-session' {
  interface SessionData {
    csrf: string
  }
}

let host: HostApp
afterEach(() => host.close())

/** A session with a CSRF check of the synchronizer-token kind, such as lusca's: each POST must carry its token. */
function withCsrfCheck(): express.Router {
  const router = express.Router()
  router.use(memorySession(), express.urlencoded({ extended: false }), (req, res, next) => {
    const { _csrf: token } = (req.body ?? {}) as { _csrf?: unknown }
    req.session.csrf ??= randomUUID()
    if (req.method !== 'POST' || req.path === '/login' || token === req.session.csrf) return void next()
    res.status(403).send('no token')
  })
  return router
}

const start = async (otp: Partial<OtpOptions> = {}): Promise<void> => {
  host = await HostApp.start({
    session: withCsrfCheck(),
    otp: { formFields: (req) => ({ _csrf: String(req.session.csrf) }), ...otp },
  })
}

const page = async (jar: Agent): Promise<string> => (await jar.get('/2fa').set(BROWSER).expect(200)).text

/** Submits the form of a page that posts to this route, with its hidden fields as they are. */
function submit(jar: Agent, html: string, route: string, typed: object = {}) {
  const [, form = ''] = new RegExp(`<form method="post" action="/2fa/${route}[^>]*>([^]*?)</form>`).exec(html) ?? []
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]))
  return jar
    .post(`/2fa/${route}`)
    .set(BROWSER)
    .type('form')
    .send({ ...fields, ...typed })
}

test('behind a CSRF check of the host each form carries its token, from the address to the right code', async () => {
  await start({ typedEmail: true })
  const jar = host.jar()
  await submit(jar, await page(jar), 'send', { email: 'ana@example.com' }).expect(303)
  await host.mailbox.mails(1)
  await submit(jar, await page(jar), 'restart').expect(303)
  await submit(jar, await page(jar), 'send', { email: 'ana@example.com' }).expect(303)
  await host.mailbox.mails(2)
  host.clock.tick(31)
  await submit(jar, await page(jar), 'send').expect(303)
  await host.mailbox.mails(3)
  const right = await submit(jar, await page(jar), 'verify', { code: host.mailbox.code }).expect(303)
  expect(right.get('Location')).toContain('/2fa/continue')
  await jar.post('/2fa/send').set(BROWSER).type('form').send({}).expect(403)
})

test('the page that offers to send carries it too', async () => {
  await start()
  const jar = await host.signedIn()
  await submit(jar, await page(jar), 'send').expect(303)
  expect(host.mailbox.received).toHaveLength(1)
})

test('it may be async, is called once for a page with a form, and never for other pages and answers', async () => {
  let calls = 0
  await start({
    formFields: async (req, res) => {
      calls += 1
      await Promise.resolve(res.statusCode)
      return { _csrf: req.session.csrf ?? '' }
    },
  })
  const jar = await host.signedIn()
  const counted = async (url: string, status: number, headers = BROWSER): Promise<number> => {
    calls = 0
    await jar.get(url).set(headers).expect(status)
    return calls
  }
  expect(await counted('/2fa', 200)).toBe(1)
  await submit(jar, await page(jar), 'send').expect(303)
  const code = await page(jar)
  expect(code.match(/name="_csrf"/g)).toHaveLength(2)
  expect(await counted('/2fa', 200)).toBe(1)
  expect(await counted('/2fa', 200, JSON_CLIENT)).toBe(0)
  expect(await counted('/2fa?for=x&for=y', 400)).toBe(0)
  expect(await counted('/2fa?for=nonsense', 409)).toBe(0)
  const right = await submit(jar, code, 'verify', { code: host.mailbox.code }).expect(303)
  expect(await counted(right.get('Location') ?? '', 200)).toBe(0)
  expect(await counted('/2fa', 200)).toBe(0)
})

test('names and values are text in the page', async () => {
  await start({ formFields: () => ({ '"><b>': '"><i>{{x}}' }) })
  const html = await page(await host.signedIn())
  expect(html).toContain('name="&quot;&gt;&lt;b&gt;" value="&quot;&gt;&lt;i&gt;{{x}}"')
})

test.each<[string, unknown, string]>([
  ['a field `for`', { for: 'x' }, '`for` is a field of ours'],
  ['a field `code`', { code: 'x' }, '`code` is a field of ours'],
  ['a field `email`', { email: 'x' }, '`email` is a field of ours'],
  ['a field `trust`', { trust: 'x' }, '`trust` is a field of ours'],
  ['a field that reads as one of ours', { 'code[]': 'x' }, '`code[]` is a field of ours'],
  ['a number', { _csrf: 7 }, '`_csrf` is not a string'],
  ['a missing token', { _csrf: undefined }, '`_csrf` is not a string'],
  ['a list', ['x'], 'it gave no object'],
  ['nothing', undefined, 'it gave no object'],
  ['a promise of nothing', Promise.resolve(null), 'it gave no object'],
])('%s from it is an error of the host’s that names the cure', async (_what, fields, reason) => {
  await start({ formFields: () => fields as Record<string, string> })
  const answer = await (await host.signedIn()).get('/2fa').set(BROWSER).expect(500)
  expect(answer.text).toContain('Something broke on our side')
  expect(answer.text).not.toContain('formFields')
  const [event] = host.events
  expect(event).toMatchObject({ type: 'failed', outcome: 'host_callback' })
  const message = `\`formFields(req, res)\`: ${reason}. Give names and texts of your own, such as \`{ _csrf: req.csrfToken() }\`.`
  expect(event).toMatchObject({ error: { message } })
})

test.each<[string, Partial<OtpOptions>]>([
  ['formFields', { formFields: () => new Promise(() => undefined) }],
  ['locals', { locals: () => new Promise(() => undefined) }],
])('`%s` that never answers ends as an error after five seconds', async (name, otp) => {
  await start(otp)
  const jar = await host.signedIn()
  const waiting = jar.get('/2fa').set(BROWSER).expect(500).then()
  await new Promise((resolve) => setTimeout(resolve, 300))
  host.clock.tick(6)
  expect((await waiting).text).toContain('Something broke on our side')
  expect(host.events).toMatchObject([{ outcome: 'host_callback', error: { message: `\`${name}\` timed out.` } }])
})
