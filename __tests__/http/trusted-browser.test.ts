import session from 'express-session'
import type { Response } from 'supertest'
import { ANA, type Agent, BEN, BROWSER, HostApp, type HostOptions, NAVIGATE, SECRET } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'
import { type GuardOptions, MemoryStore, type OtpOptions } from '../../src/index.js'

const DAY = 86_400
const CHECKED: object = { trust: 'yes' }
const UNCHECKED = {}
const OTHER_SECRET = 'another secret of thirty-two characters'

let host: HostApp
afterEach(() => host.close())

const start = async (otp: Partial<OtpOptions> = {}, options: HostOptions = {}): Promise<void> => {
  host = await HostApp.start({ otp: { trustBrowser: { days: 30 }, ...otp }, ...options })
}

const trustCookieOf = (answer: Response): string | undefined =>
  answer.get('Set-Cookie')?.find((one) => one.includes('otp-trust'))
const pairOf = (cookie = ''): string => cookie.replace(/;.*/, '')

/** Types the right code with the box checked. Returns the answer. */
async function verify(user = ANA, box = CHECKED, headers = {}): Promise<{ jar: Agent; answer: Response }> {
  const { jar, code } = await host.asked(user)
  return {
    jar,
    answer: await jar
      .post('/2fa/verify')
      .set(headers)
      .send({ code, ...box })
      .expect(200),
  }
}

/** The cookie of a browser that is trusted now. */
async function trusted(user = ANA): Promise<string> {
  return pairOf(trustCookieOf((await verify(user)).answer))
}

/** Signs in in a new session. Returns its cookie. */
async function sessionOf(user = ANA): Promise<string> {
  const signedIn = await host.jar().post('/login').send({ user }).expect(200)
  return pairOf(signedIn.get('Set-Cookie')?.[0])
}

/** The status of a guarded page in a new session, in a browser with this cookie. */
async function statusWith(cookie: string, user = ANA, url = '/secret'): Promise<number> {
  const own = await sessionOf(user)
  return (await host.jar().get(url).set('Cookie', `${own}; ${cookie}`)).status
}

test('H10: the cookie of a trusted browser is opaque, HttpOnly, Lax, and lives as long as the option says', async () => {
  await start({ trustBrowser: { days: 7 } })
  const cookie = trustCookieOf((await verify()).answer) ?? ''
  expect(cookie).toMatch(/^otp-trust-2fa=[\w-]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/)
  expect(Buffer.from(pairOf(cookie), 'base64url').toString()).not.toMatch(/ana|u1/)
})

test('H10: beyond loopback, and behind TLS, it has the prefix __Host- and is Secure; one without is not read', async () => {
  await start()
  const { answer } = await verify(ANA, CHECKED, { 'X-Forwarded-Proto': 'https' })
  const cookie = trustCookieOf(answer) ?? ''
  expect(cookie).toMatch(/^__Host-otp-trust-2fa=[\w-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/)
  const own = await sessionOf()
  const get = (pair: string) =>
    host
      .jar()
      .get('/secret')
      .set({ Host: 'acme.example', Cookie: `${own}; ${pair}` })
  await get(pairOf(cookie)).expect(200)
  await get(pairOf(cookie).replace('__Host-', '')).expect(401)
})

test.each([
  ['https, http', '__Host-otp-trust-2fa'],
  ['HTTPS', '__Host-otp-trust-2fa'],
  ['http, https', 'otp-trust-2fa'],
  ['httpsx', 'otp-trust-2fa'],
])('H10: behind proxies that say "%s" it is named %s', async (proto, name) => {
  await start()
  const { answer } = await verify(ANA, CHECKED, { 'X-Forwarded-Proto': proto })
  expect(trustCookieOf(answer)?.split('=')[0]).toBe(name)
})

test('H10: after the clock was put back by more than a minute, the cookie opens nothing until that time', async () => {
  await start()
  host.clock.tick(365 * DAY)
  const cookie = await trusted()
  host.clock.tick(-30)
  expect(await statusWith(cookie)).toBe(200)
  host.clock.tick(-365 * DAY)
  expect(await statusWith(cookie)).toBe(401)
})

test('two apps below one host name have cookies of their own', async () => {
  const names: unknown[] = []
  for (const basePath of ['/shop', '/blog']) {
    await start({ basePath })
    names.push(trustCookieOf((await verify()).answer)?.split('=')[0])
    if (basePath === '/shop') await host.close()
  }
  expect(names).toEqual(['otp-trust-shop-2fa', 'otp-trust-blog-2fa'])
})

test('H10: it opens a plain guard in later sessions of this user, for the days of the option, however often it is used', async () => {
  await start()
  const cookie = await trusted()
  for (let day = 1; day < 30; day++) {
    host.clock.tick(DAY)
    expect(await statusWith(cookie)).toBe(200)
  }
  host.clock.tick(DAY)
  expect(await statusWith(cookie)).toBe(401)
})

test('H10: opening by it writes no session, asks no store, and prolongs nothing', async () => {
  await start()
  const cookie = await trusted()
  const own = await sessionOf()
  const calls = [jest.spyOn(session.MemoryStore.prototype, 'set'), jest.spyOn(MemoryStore.prototype, 'spend')]
  const answer = await host.jar().get('/secret').set('Cookie', `${own}; ${cookie}`).expect(200)
  for (const call of calls) {
    expect(call).not.toHaveBeenCalled()
    call.mockRestore()
  }
  expect(answer.get('Set-Cookie')).toBeUndefined()
  expect(await statusWith('')).toBe(401)
})

const NEVER: [string, GuardOptions][] = [
  ['a maxAge', { maxAge: 3600 }],
  ['the default maxAge, written out', { maxAge: 43_200 }],
  ['the longest maxAge', { maxAge: 31_536_000 }],
  ['a purpose', { purpose: 'transfer' }],
  ['details', { details: () => null }],
  ['a purpose and details', { purpose: 'transfer', details: () => ({ amount: 5 }) }],
]

test.each(NEVER)('H10: it never opens a guard with %s, and the page of that guard has no box', async (_what, guard) => {
  await start(
    {},
    { after: (app, otp) => void app.get('/strict', otp.requireOtp(guard), (_req, res) => void res.send('in')) },
  )
  const cookie = await trusted()
  expect(await statusWith(cookie)).toBe(200)
  expect(await statusWith(cookie, ANA, '/strict')).toBe(401)
  const jar = await host.signedIn(BEN)
  const page = (await jar.get('/strict').set(NAVIGATE).expect(303)).get('Location') ?? ''
  const sealed = new URLSearchParams(page.split('?')[1]).get('for')
  await jar.post('/2fa/send').send({ for: sealed }).expect(200)
  expect((await jar.get(page).set(BROWSER).expect(200)).text).not.toContain('name="trust"')
  const { code } = host.mailbox
  const answer = await jar.post('/2fa/verify').send({ for: sealed, code, trust: 'yes' }).expect(200)
  expect(trustCookieOf(answer)).toBeUndefined()
})

test('H10: another user, another address or a new version is asked; so is nobody', async () => {
  await start()
  const versioned = { ...ANA, version: 1 }
  const cookie = await trusted(versioned)
  expect(await statusWith(cookie, versioned)).toBe(200)
  for (const other of [
    BEN,
    { ...ANA, version: 2 },
    ANA,
    { ...versioned, email: 'ana@other.example' },
    { ...versioned, id: 'u2' },
  ]) {
    expect(await statusWith(cookie, other)).toBe(401)
  }
  const nobody = await host.jar().get('/secret').set({ Cookie: cookie, Accept: 'application/json' }).expect(401)
  expect(nobody.body.code).toBe('sign_in_required')
})

test('H10: `check` says the same as the guard', async () => {
  await start(
    {},
    {
      after: (app, otp) => {
        app.get('/check', (req, res, next) => {
          const plain = otp.check(req)
          const strict = otp.check(req, { maxAge: 43_200 })
          Promise.all([plain, strict]).then((checked) => void res.json(checked.map(({ verified }) => verified)), next)
        })
      },
    },
  )
  const cookie = await trusted()
  const own = await sessionOf()
  const checked = await host.jar().get('/check').set('Cookie', `${own}; ${cookie}`).expect(200)
  expect(checked.body).toEqual([true, false])
})

test('H10: of two users in one browser the last one to tick the box is trusted', async () => {
  await start()
  const jar = host.jar()
  for (const user of [ANA, BEN]) {
    await jar.post('/login').send({ user }).expect(200)
    await jar.post('/2fa/send').send({}).expect(200)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code, trust: 'yes' }).expect(200)
  }
  host.clock.tick(DAY)
  await jar.get('/secret').expect(200)
  await jar.post('/login').send({ user: ANA }).expect(200)
  await jar.get('/secret').expect(401)
})

test.each<[string, (cookie: string) => string]>([
  ['is altered', (cookie) => `${cookie.slice(0, -4)}AAAA`],
  ['is made up', () => 'otp-trust-2fa=eyJ0cnVzdCI6dHJ1ZX0'],
  ['is empty', () => 'otp-trust-2fa='],
  ['has another name', (cookie) => cookie.replace('trust', 'trusty')],
])('H10: a cookie that %s opens nothing', async (_what, change) => {
  await start()
  const cookie = await trusted()
  expect(await statusWith(change(cookie))).toBe(401)
})

test('H10: what else is sealed here opens nothing as a cookie: a step-up, a device cookie', async () => {
  await start({ typedEmail: true })
  const jar = host.jar()
  await jar.post('/2fa/send').send({ email: ANA.email }).expect(200)
  await host.mailbox.mails(1)
  const proven = await jar.post('/2fa/verify').send({ code: host.mailbox.code, trust: 'yes' }).expect(200)
  expect(trustCookieOf(proven)).toBeUndefined()
  const device = proven.get('Set-Cookie')?.find((one) => one.includes('otp-device'))
  expect(await statusWith(pairOf(device).replace('device', 'trust'))).toBe(401)
  const asked = await (await host.signedIn()).get('/secret').expect(401)
  expect(await statusWith(`otp-trust-2fa=${asked.body.for}`)).toBe(401)
})

test.each<[string, Partial<OtpOptions>, number]>([
  ['another secret', { secret: OTHER_SECRET }, 401],
  ['another session key', { sessionKey: 'other' }, 401],
  ['the secret rotated', { secret: [OTHER_SECRET, SECRET] }, 200],
  ['fewer days', { trustBrowser: { days: 2 } }, 401],
  ['more days', { trustBrowser: { days: 30 } }, 200],
  ['the option off', { trustBrowser: undefined as never }, 401],
])('H10: an app with %s answers the cookie with %i', async (_what, otp, status) => {
  await start({ trustBrowser: { days: 5 } })
  const cookie = await trusted()
  await host.close()
  await start({ ...otp })
  host.clock.tick(3 * DAY)
  expect(await statusWith(cookie)).toBe(status)
})

test('H10: `forget` with `trustedBrowser` ends it, a plain one and a sign-out keep it', async () => {
  await start(
    {},
    {
      after: (app, otp) => {
        app.post('/forget', (req, res) => {
          otp.forget(req, { trustedBrowser: req.query.trust === 'too' })
          res.json({})
        })
      },
    },
  )
  const { jar } = await verify()
  await jar.post('/forget').expect(200)
  await jar.get('/secret').expect(200)
  await jar.post('/logout').expect(200)
  await jar.post('/login').send({ user: ANA }).expect(200)
  await jar.get('/secret').expect(200)
  const answer = await jar.post('/forget?trust=too').expect(200)
  expect(trustCookieOf(answer)).toBe('otp-trust-2fa=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
  await jar.get('/secret').expect(401)
  const secure = await jar.post('/forget?trust=too').set('Host', 'acme.example').expect(200)
  expect(trustCookieOf(secure)).toMatch(/^__Host-otp-trust-2fa=; Path=\/; Max-Age=0; .*; Secure$/)
})

test('`forget` says what is wrong: an unknown option, a response that was sent, a request without one', async () => {
  const errors: unknown[] = []
  await start(
    {},
    {
      after: (app, otp) => {
        app.post('/forget', (req, res) => {
          for (const [given, options] of [
            [req, { trusted: true }],
            [req, { trustedBrowser: 'yes' }],
            [{ session: req.session }, { trustedBrowser: true }],
          ]) {
            try {
              otp.forget(given as never, options as never)
            } catch (error) {
              errors.push(error)
            }
          }
          res.json({})
          try {
            otp.forget(req, { trustedBrowser: true })
          } catch (error) {
            errors.push(error)
          }
        })
      },
    },
  )
  await (await host.signedIn()).post('/forget').expect(200)
  expect(errors.map((error) => (error as Error).message)).toEqual([
    'forget: unknown option `trusted`. Known here: trustedBrowser.',
    'forget: option `trustedBrowser` is "yes". Give one of true, false.',
    ...Array<unknown>(2).fill(
      expect.stringContaining('Give the request that Express gave you, before its response is sent.'),
    ),
  ])
})

test('H10: only a right code with the box checked is remembered, and only once it is verified to the end', async () => {
  let isBroken = true
  await start({
    onVerified: () => {
      if (isBroken) throw new Error('the database is down')
    },
  })
  const { jar, code } = await host.asked()
  const answers = [
    await jar
      .post('/2fa/verify')
      .send({ code: wrongCode(code), trust: 'yes' })
      .expect(422),
    await jar.post('/2fa/verify').send({ code, trust: 'yes' }).expect(500),
  ]
  isBroken = false
  answers.push((await verify(ANA, UNCHECKED)).answer)
  expect(answers.map(trustCookieOf)).toEqual([undefined, undefined, undefined])
})

test('H10: a post after the right code is told verified, with any code, but makes no browser a trusted one', async () => {
  await start()
  const { jar } = await verify(ANA, UNCHECKED)
  const again = await jar.post('/2fa/verify').send({ code: '000000', trust: 'yes' }).expect(200)
  expect(again.body).toMatchObject({ verified: true })
  expect(trustCookieOf(again)).toBeUndefined()
})

test('H10: of two equal posts at once with the box checked one is remembered at least, and both for one user', async () => {
  await start()
  const { jar, code } = await host.asked()
  const post = () => jar.post('/2fa/verify').send({ code, trust: 'yes' })
  const cookies = (await Promise.all([post(), post()])).map(trustCookieOf).filter((one) => one !== undefined)
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) expect(await statusWith(pairOf(cookie), BEN)).toBe(401)
})

test.each<[string, unknown]>([
  ['a list', ['yes']],
  ['an object', { yes: 'yes' }],
  ['true', true],
  ['a number', 1],
  ['no', 'no'],
  ['on', 'on'],
  ['an empty string', ''],
])('H10: the field `trust` is "yes" or missing; %s answers 400, and nothing is counted', async (_what, trust) => {
  await start({ attempts: 1 })
  const { jar, code } = await host.asked()
  const refused = await jar
    .post('/2fa/verify')
    .send({ code: wrongCode(code), trust })
    .expect(400)
  expect(refused.body.code).toBe('bad_request')
  await jar.post('/2fa/verify').send({ code, trust: 'yes' }).expect(200)
})

test('H10: the box is on the page of a signed-in user who is asked for plain access, unchecked; without the option it is not', async () => {
  await start({ trustBrowser: { days: 1 } })
  const { jar } = await host.asked()
  const { text } = await jar.get('/2fa').set(BROWSER).expect(200)
  expect(text).toContain('<input type="checkbox" name="trust" value="yes" aria-describedby="otp-trust">')
  expect(text).toContain('Don’t ask again in this browser for 1 day<')
  expect(text).toContain('Not on a shared computer.')
  await host.close()
  host = await HostApp.start()
  const plain = await host.asked()
  expect((await plain.jar.get('/2fa').set(BROWSER).expect(200)).text).not.toContain('trust')
  const answer = await plain.jar.post('/2fa/verify').send({ code: plain.code, trust: 'yes' }).expect(200)
  expect(trustCookieOf(answer)).toBeUndefined()
})

test('H10: the page of a typed address has no box, also where there are users', async () => {
  await start({ typedEmail: true })
  const jar = host.jar()
  await jar.post('/2fa/send').send({ email: ANA.email }).expect(200)
  expect((await jar.get('/2fa').set(BROWSER).expect(200)).text).not.toContain('name="trust"')
})

test('`status` is about grants, and the page still offers a code', async () => {
  await start(
    {},
    {
      after: (app, otp) => {
        app.get('/status', (req, res, next) => {
          otp.status(req).then((status) => void res.json(status), next)
        })
      },
    },
  )
  const { jar } = await verify()
  host.clock.tick(DAY)
  await jar.get('/secret').expect(200)
  expect((await jar.get('/status')).body).toEqual({ verified: false, email: null, verifiedAt: null, purposes: [] })
  expect((await jar.get('/2fa').set('Accept', 'application/json')).body).toMatchObject({ state: 'send' })
})
