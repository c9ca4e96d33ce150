import { randomBytes } from 'node:crypto'
import cookieSession from 'cookie-session'
import {
  ANA,
  type Agent,
  BEN,
  HostApp,
  JSON_CLIENT,
  memorySession,
  NAVIGATE,
  sealedIn,
  submit,
} from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'

const TYPED = { user: undefined as never, typedEmail: true } as const
const GUESSES_LEFT = 'Guesses left: 4.'

let host: HostApp
afterEach(() => host.close())

const pageOf = async (jar: Agent, url = '/secret'): Promise<string> =>
  (await jar.get(url).set(NAVIGATE).expect(303)).get('Location') ?? ''
const show = async (jar: Agent, url: string): Promise<string> => (await jar.get(url).set(NAVIGATE).expect(200)).text

/** A session on the page of `/secret` that has typed one wrong code, and the URL that shows this. */
async function typedWrong(user = ANA): Promise<{ jar: Agent; page: string; told: string; sealed: string }> {
  const jar = await host.signedIn(user)
  const page = await pageOf(jar)
  const sealed = sealedIn(await show(jar, page))
  await jar.post('/2fa/send').send({ for: sealed }).expect(200)
  const form = { for: sealed, code: wrongCode(host.mailbox.code) }
  const { headers } = await jar.post('/2fa/verify').set(NAVIGATE).type('form').send(form).expect(303)
  return { jar, page, told: headers.location ?? '', sealed }
}

describe('H2: what goes wrong travels over a redirect', () => {
  test('H2: a reload shows it again and takes no guess, and the action stays in the URL', async () => {
    host = await HostApp.start()
    const { jar, page, told, sealed } = await typedWrong()
    expect(told).toMatch(new RegExp(`^/2fa\\?for=${sealed}&notice=[\\w-]+$`))
    for (let reloads = 0; reloads < 6; reloads++) {
      const text = await show(jar, told)
      expect(text).toContain(GUESSES_LEFT)
      expect(text).toContain('<title>Error: ')
      expect(sealedIn(text)).toBe(sealed)
    }
    expect(await show(jar, page)).not.toContain('Guesses left')
    expect(host.events.filter(({ type }) => type === 'rejected')).toHaveLength(1)
    await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
  })

  test('H2: the page after the right code shows no old notice', async () => {
    host = await HostApp.start()
    const { jar, told, sealed } = await typedWrong()
    await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
    const text = await show(jar, told)
    expect(text).toContain('Verified. Access granted.')
    expect(text).not.toMatch(/Error|Guesses left/)
  })

  test('H2: a restored tab at the URL of a form leads back to the action', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const page = await pageOf(jar)
    const actions = [...(await show(jar, page)).matchAll(/action="([^"]*)"/g)].map(([, url]) => url ?? '')
    expect(actions).toEqual([page.replace('?', '/send?')])
    for (const url of [...actions, page.replace('?', '/verify?'), page.replace('?', '/restart?')]) {
      const { headers } = await jar.get(url).set(NAVIGATE).expect(303)
      expect(headers.location).toBe(page)
    }
    for (const odd of ['a"b', 'x y', 'é', '<b>']) {
      const { headers } = await jar.get('/2fa/verify').query({ for: odd }).set(NAVIGATE).expect(303)
      expect(headers.location).toBe('/2fa')
    }
  })

  test('a wait that was told gets shorter, and the typed address stands in the field again', async () => {
    host = await HostApp.start({ otp: TYPED })
    const jar = host.jar()
    const typo = await submit(jar, '/2fa/send', { email: 'ana@' })
    expect(typo.text).toContain('value="ana@"')
    await submit(jar, '/2fa/send', { email: 'ana@example.com' })
    const { headers } = await jar.post('/2fa/send').set(NAVIGATE).type('form').send({}).expect(303)
    expect(await show(jar, headers.location ?? '')).toContain('in 30 seconds')
    host.clock.tick(20)
    expect(await show(jar, headers.location ?? '')).toContain('in 10 seconds')
  })

  test('JSON clients get the problem in the answer itself', async () => {
    host = await HostApp.start()
    const { jar, sealed } = await typedWrong()
    const typed = { for: sealed, code: wrongCode(host.mailbox.code) }
    const { body } = await jar.post('/2fa/verify').send(typed).expect(422)
    expect(body).toMatchObject({ code: 'wrong_code', attempts_left: 3 })
  })

  test('a problem whose URL would be too long for a header is answered in place', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const page = await pageOf(jar, `/secret?q=${randomBytes(2_430).toString('base64url')}`)
    const sealed = sealedIn(await show(jar, page))
    await jar.post('/2fa/send').send({ for: sealed }).expect(200)
    const form = { for: sealed, code: wrongCode(host.mailbox.code) }
    expect(sealed.length).toBeGreaterThan(3_350)
    const answer = await jar.post('/2fa/verify').set(NAVIGATE).type('form').send(form).expect(422)
    expect(answer.text).toContain(GUESSES_LEFT)
  })
})

describe('H13: a notice shows nothing', () => {
  test('H13: in another session, of the same or another user', async () => {
    host = await HostApp.start()
    const { told, page } = await typedWrong()
    expect(await show(await host.signedIn(ANA), told)).not.toContain('Guesses left')
    const ben = await host.signedIn(BEN)
    const own = await pageOf(ben)
    expect(await show(ben, told.replace(page, own))).not.toContain('Guesses left')
    await ben.get(told).set(NAVIGATE).expect(409)
  })

  test('H13: to another user who signs in to the same session', async () => {
    host = await HostApp.start()
    const { jar, code } = await host.asked(ANA)
    const wrong = { code: wrongCode(code) }
    const { headers } = await jar.post('/2fa/verify').set(NAVIGATE).type('form').send(wrong).expect(303)
    expect(await show(jar, headers.location ?? '')).toContain(GUESSES_LEFT)
    await jar.post('/login').send({ user: BEN }).expect(200)
    expect(await show(jar, headers.location ?? '')).not.toContain('Guesses left')
  })

  test('H13: on the page of another step-up', async () => {
    host = await HostApp.start()
    const { jar, told } = await typedWrong()
    const notice = new URL(told, host.origin).searchParams.get('notice') ?? ''
    for (const page of [`${await pageOf(jar)}&`, '/2fa?']) {
      expect(await show(jar, `${page}notice=${notice}`)).not.toContain('Guesses left')
    }
  })

  test('H13: behind a link of another site, also to a visitor without a session', async () => {
    host = await HostApp.start({ otp: TYPED })
    const form = { email: 'typed by a stranger' }
    const { headers } = await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send(form).expect(303)
    const open = (site: string) =>
      host
        .jar()
        .get(headers.location ?? '')
        .set({ ...NAVIGATE, 'Sec-Fetch-Site': site })
    expect((await open('cross-site').expect(200)).text).not.toContain('typed by a stranger')
    expect((await open('same-origin').expect(200)).text).toContain('typed by a stranger')
  })

  test('H13: after 60 seconds', async () => {
    host = await HostApp.start()
    const { jar, told } = await typedWrong()
    host.clock.tick(60)
    expect(await show(jar, told)).toContain(GUESSES_LEFT)
    host.clock.tick(1)
    expect(await show(jar, told)).not.toContain('Guesses left')
  })

  test('H13: if it is a `for`, altered, repeated, too long or empty; and a notice is no `for`', async () => {
    host = await HostApp.start()
    const { jar, page, told, sealed } = await typedWrong()
    const notice = new URL(told, host.origin).searchParams.get('notice') ?? ''
    const odd = [sealed, `${notice}A`, notice.slice(1), '', 'x'.repeat(4_000), `${notice}&notice=${notice}`]
    for (const one of odd) expect(await show(jar, `${page}&notice=${one}`)).not.toContain('Guesses left')
    await jar.get(`/2fa?for=${notice}`).set(NAVIGATE).expect(409)
  })
})

describe('a browser that keeps no cookie', () => {
  /** What a browser shows that keeps no cookie, after it has posted a form. */
  async function submitted(fields: object): Promise<{ status: number; text: string }> {
    const { headers } = await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send(fields).expect(303)
    return host
      .jar()
      .get(headers.location ?? '')
      .set(NAVIGATE)
  }

  test('is told after the first mail that cookies are needed', async () => {
    host = await HostApp.start({ otp: TYPED })
    const { status, text } = await submitted({ email: 'ana@example.com' })
    expect(status).toBe(422)
    expect(text).toContain('Your browser keeps no cookie of ours')
    expect(text).toContain('href="/2fa"')
  })

  test('is told the same when a token signs it in', async () => {
    host = await HostApp.start({ otp: { user: () => ANA } })
    const jar = host.jar()
    const page = await pageOf(jar)
    const { text } = await submitted({ for: sealedIn(await show(jar, page)) })
    expect(text).toContain('Your browser keeps no cookie of ours')
    expect(text).toContain(`href="${page.replace('=', '&#x3D;')}"`)
  })

  test('and nobody else: neither on the first mail of a session nor when the page is opened later', async () => {
    host = await HostApp.start({ otp: TYPED })
    const jar = host.jar()
    const sent = await submit(jar, '/2fa/send', { email: 'ana@example.com' })
    expect(sent.text).toContain('Enter the 8-digit code')
    const { headers } = await host.jar().post('/2fa/send').set(NAVIGATE).type('form').send({ email: 'b@example.com' })
    host.clock.tick(61)
    expect(await show(host.jar(), headers.location ?? '')).toContain('Mail me a code')
  })

  test('a session that is in the cookie itself is looked at after each mail', async () => {
    host = await HostApp.start({ otp: TYPED, session: cookieSession({ name: 's', keys: ['key'] }) })
    const jar = host.jar()
    const sent = await submit(jar, '/2fa/send', { email: 'ana@example.com' })
    expect(sent.text).toContain('Enter the 8-digit code')
    expect((await submitted({ email: 'ana@example.com' })).status).toBe(422)
  })

  test('a session that is in the cookie itself may come back to that page after the right code', async () => {
    host = await HostApp.start({ session: cookieSession({ name: 's', keys: ['key'] }) })
    const jar = await host.signedIn()
    const { headers } = await jar.post('/2fa/send').set(NAVIGATE).type('form').send({}).expect(303)
    await jar.post('/2fa/verify').send({ code: host.mailbox.code }).expect(200)
    expect(await show(jar, headers.location ?? '')).toContain('Verified. Access granted.')
  })

  test('a JSON client gets the state', async () => {
    host = await HostApp.start({ otp: TYPED, session: memorySession() })
    await host.jar().post('/2fa/send').set(JSON_CLIENT).send({ email: 'ana@example.com' }).expect(200)
  })
})
