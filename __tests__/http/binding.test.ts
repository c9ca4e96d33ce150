import { MemoryStore as Sessions } from 'express-session'
import request from 'supertest'
import { cookieOf, guess } from '../helpers/guessing.js'
import { type Agent, ANA, BEN, BROWSER, HostApp, memorySession, SECRET, submit } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'
import { startTwins, type Twins } from '../helpers/twins.js'
import type { OtpOptions } from '../../src/index.js'

let host: HostApp
let others: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(others.map((one) => one.close()))
  others = []
})

async function start(...[options]: Parameters<typeof HostApp.start>): Promise<HostApp> {
  host = await HostApp.start(options)
  others.push(host)
  return host
}

async function twins(otp: Partial<OtpOptions> = {}): Promise<Twins> {
  const both = await startTwins(otp)
  others.push(both)
  return both
}

describe('binding', () => {
  test('B1: a code works only in the session that asked for it', async () => {
    await start()
    const first = await host.asked()
    const other = await host.signedIn(ANA)
    const none = await guess(other, first.code).expect(422)
    expect(none.body).toMatchObject({ code: 'no_challenge' })

    const second = await host.asked()
    for (let i = 0; i < 5; i++) {
      const wrong = await guess(second.jar, first.code).expect(422)
      expect(wrong.body).toMatchObject({ code: 'wrong_code' })
    }
    await guess(first.jar, first.code).expect(200)
    await second.jar.get('/secret').expect(401)
    await other.get('/secret').expect(401)
  })

  test('B2: another user in the same session is challenged anew, and the code of the first is refused', async () => {
    await start()
    const { jar, code } = await host.asked(ANA)
    await jar.post('/login').send({ user: BEN }).expect(200)
    const refused = await guess(jar, code).expect(422)
    expect(refused.body).toMatchObject({ code: 'no_challenge' })
    await jar.post('/2fa/send').send({}).expect(200)
    expect(host.mailbox.last.to).toEqual([BEN.email])
    await guess(jar, code).expect(422)
    await guess(jar, host.mailbox.code).expect(200)
    await jar.get('/secret').expect(200)

    await jar.post('/login').send({ user: ANA }).expect(200)
    await jar.get('/secret').expect(401)
    await guess(jar, code).expect(422)
  })

  test('B2: the next user who signs in does not get the grant', async () => {
    await start()
    const { jar, code } = await host.asked(ANA)
    await guess(jar, code).expect(200)
    await jar.get('/secret').expect(200)
    await jar.post('/login').send({ user: BEN }).expect(200)
    await jar.get('/secret').expect(401)
    const state = await jar.get('/2fa').set('Accept', 'application/json').expect(200)
    expect(state.body).toEqual({ state: 'send', purpose: 'access' })
  })

  test('B2: ids that only look alike are other users', async () => {
    await start()
    const email = ANA.email
    const { jar, code } = await host.asked({ id: '__proto__', email })
    await guess(jar, code).expect(200)
    for (const id of ['constructor', 'toString', '__proto__ ', 'u1","ana@example.com', '0', 0]) {
      await jar.post('/login').send({ user: { id, email } }).expect(200)
      await jar.get('/secret').expect(401)
    }
    await jar
      .post('/login')
      .send({ user: { id: '__proto__', email } })
      .expect(200)
    await jar.get('/secret').expect(200)
  })

  test.each([
    ['e-mail', { ...ANA, email: 'ana@new.example' }],
    ['version', { ...ANA, version: 2 }],
  ])('B3: a changed %s ends challenge and grant', async (_what, changed) => {
    await start()
    const { jar, code } = await host.asked(ANA)
    await jar.post('/login').send({ user: changed }).expect(200)
    const refused = await guess(jar, code).expect(422)
    expect(refused.body).toMatchObject({ code: 'no_challenge' })

    const granted = await host.asked(ANA)
    await guess(granted.jar, granted.code).expect(200)
    await granted.jar.post('/login').send({ user: changed }).expect(200)
    await granted.jar.get('/secret').expect(401)
  })

  describe('step-ups', () => {
    const ASK = { amount: '50', payee: 'Ana' }
    const asked = async (jar: Agent, body: object = ASK): Promise<string> => {
      const shut = await jar.post('/transfer').send(body).expect(401)
      return (shut.body as { for: string }).for
    }
    /** The purpose on the page of a step-up; for one that cannot be used, the problem. */
    const purposeOf = async (jar: Agent, sealed: string): Promise<unknown> => {
      const { body } = await jar.get('/2fa').query({ for: sealed }).set('Accept', 'application/json')
      const { purpose, code } = body as { purpose?: unknown; code?: unknown }
      return purpose ?? code
    }

    test('B4: purpose, details and return page in the clear are ignored', async () => {
      await start()
      const jar = await host.signedIn()
      const wish = {
        purpose: 'transfer',
        details: null,
        returnTo: '//evil.example',
        return_to: '//evil.example',
        next: '//evil.example',
        redirect: '//evil.example',
        maxAge: 1,
        stepUp: { purpose: 'transfer' },
      }
      await jar.post('/2fa/send?purpose=transfer&return_to=//evil.example').send(wish).expect(200)
      const done = await guess(jar, host.mailbox.code, wish).expect(200)
      expect(done.body).toEqual({ verified: true, purpose: 'access', return_to: '/' })
      await jar.post('/transfer').send(ASK).expect(401)
    })

    test('B4: an altered step-up is refused, wherever it was altered', async () => {
      await start()
      const jar = await host.signedIn()
      const sealed = await asked(jar)
      expect(await purposeOf(jar, sealed)).toBe('transfer')
      for (let at = 0; at < sealed.length; at++) {
        const other = sealed.charAt(at) === 'A' ? 'B' : 'A'
        const altered = sealed.slice(0, at) + other + sealed.slice(at + 1)
        expect(await purposeOf(jar, altered)).toBe('step_up_expired')
      }
      const bent = ['A', sealed.slice(1), sealed.slice(0, -1), `${sealed}A`, `${sealed}AAAA`, sealed + sealed]
      for (const altered of bent) expect(await purposeOf(jar, altered)).toBe('step_up_expired')
      expect(await purposeOf(jar, '')).toBe('access')
    })

    test('B4: characters that decoding would skip make a step-up another one', async () => {
      await start()
      const jar = await host.signedIn()
      const sealed = await asked(jar)
      for (const more of ['=', '!', ' ', '#x', '&for=x', '\r\nX-Evil: 1', '"><script>', '\u0000', '.']) {
        expect(await purposeOf(jar, sealed + more)).toBe('step_up_expired')
        const bent = `${sealed.slice(0, 9)}${more}${sealed.slice(9)}`
        const page = await jar.post('/2fa/restart').set(BROWSER).type('form').send({ for: bent }).expect(409)
        expect(page.text).not.toContain(sealed.slice(9))
      }
    })

    test('B4: a step-up that is old, of another user or of another secret is not used', async () => {
      const { one, two, clock } = await twins()
      const ana = await one.signedIn(ANA)
      const sealed = await asked(ana)
      clock.tick(3_600)
      expect(await purposeOf(ana, sealed)).toBe('transfer')
      clock.tick(1)
      expect(await purposeOf(ana, sealed)).toBe('step_up_expired')

      const fresh = await asked(ana)
      expect(await purposeOf(await one.signedIn(ANA), fresh)).toBe('transfer')
      expect(await purposeOf(await two.signedIn(BEN), fresh)).toBe('step_up_expired')
      expect(await purposeOf(await two.signedIn({ ...ANA, version: 2 }), fresh)).toBe('step_up_expired')
      expect(await purposeOf(one.jar(), fresh)).toBe('sign_in_required')

      await start({ otp: { secret: `${SECRET} of somebody else`, now: clock.now } })
      expect(await purposeOf(await host.signedIn(ANA), fresh)).toBe('step_up_expired')
    })

    test('B4: the right code for one amount is refused for another', async () => {
      await start()
      const jar = await host.signedIn()
      const small = await asked(jar)
      await jar.post('/2fa/send').send({ for: small }).expect(200)
      const { code } = host.mailbox

      const large = await asked(jar, { ...ASK, amount: '5000' })
      const none = await guess(jar, code, { for: large }).expect(422)
      expect(none.body).toMatchObject({ code: 'no_challenge' })
      await jar.post('/2fa/send').send({ for: large }).expect(200)
      const wrong = await guess(jar, code, { for: large }).expect(422)
      expect(wrong.body).toMatchObject({ code: 'wrong_code' })
      const plain = await guess(jar, code).expect(422)
      expect(plain.body).toMatchObject({ code: 'no_challenge' })

      await guess(jar, code, { for: small }).expect(200)
      await jar
        .post('/transfer')
        .send({ ...ASK, amount: '5000' })
        .expect(401)
      await jar
        .post('/transfer')
        .send({ ...ASK, payee: 'Eve' })
        .expect(401)
      await jar.post('/transfer').send({ payee: ASK.payee, amount: ASK.amount }).expect(200)
      expect(host.transfers).toEqual([ASK])
    })

    test('B4: a session that was rewritten to another action does not make the code fit it', async () => {
      const store = new Sessions()
      await start({ session: memorySession({ store }) })
      const { sessions } = store as unknown as { sessions: Record<string, string> }
      const jar = await host.signedIn()
      const [id = ''] = Object.keys(sessions)
      const actions = [ASK, { ...ASK, amount: '5000' }]
      const prints: string[] = []
      let sealed = ''
      let code = ''
      for (const action of actions) {
        sealed = await asked(jar, action)
        await jar.post('/2fa/send').send({ for: sealed }).expect(200)
        code ||= host.mailbox.code
        prints.push(/transfer\W+([\w-]{22})/.exec(sessions[id] ?? '')?.[1] ?? '')
      }
      const [small = '', large = ''] = prints
      expect(small).not.toBe('')
      expect(small).not.toBe(large)
      // The two challenges change places: the code of the small amount now stands for the large one.
      const swapped = (sessions[id] ?? '').replaceAll(small, '?').replaceAll(large, small).replaceAll('?', large)
      sessions[id] = swapped
      const refused = await guess(jar, code, { for: sealed }).expect(422)
      expect(refused.body).toMatchObject({ code: 'wrong_code' })
    })

    test('B4: a grant for one purpose opens no other; plain access opens no action', async () => {
      await start({
        after: (app, otp) => {
          app.get('/export', otp.requireOtp({ purpose: 'export' }), (_req, res) => void res.send('all data'))
          app.get('/erase', otp.requireOtp({ purpose: 'erase' }), (_req, res) => void res.send('gone'))
        },
      })
      const { jar, code } = await host.asked()
      await guess(jar, code).expect(200)
      const shut = await jar.get('/export').expect(401)
      const sealed = (shut.body as { for: string }).for
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      await guess(jar, host.mailbox.code, { for: sealed }).expect(200)
      await jar.get('/export').expect(200)
      await jar.get('/erase').expect(401)
      await jar.get('/secret').expect(200)
    })

    const proven = async (jar: Agent): Promise<void> => {
      const sealed = await asked(jar)
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      await guess(jar, host.mailbox.code, { for: sealed }).expect(200)
    }

    test('B5: of two transfers at the same time one goes out, at one app and at two', async () => {
      const { one, two } = await twins()
      for (const [left, right] of [
        [two, two],
        [one, two],
      ] as const) {
        const login = await request(two.origin)
          .post('/login')
          .send({ user: { ...ANA, id: left.origin } })
        let cookie = cookieOf(login)
        const post = (app: HostApp, page: string, body: object) =>
          request(app.origin).post(page).set('Cookie', cookie).send(body)
        const sealed = ((await post(two, '/transfer', ASK).expect(401)).body as { for: string }).for
        await post(two, '/2fa/send', { for: sealed }).expect(200)
        cookie = cookieOf(await post(two, '/2fa/verify', { for: sealed, code: two.mailbox.code }).expect(200))
        const answers = await Promise.all([post(left, '/transfer', ASK), post(right, '/transfer', ASK)])
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
        await post(left, '/transfer', ASK).expect(401)
        await request(two.origin).get('/secret').set('Cookie', cookie).expect(200)
      }
      expect([...one.transfers, ...two.transfers]).toEqual([ASK, ASK])
    })

    test('B5: a spent grant stays spent for a guard that takes older ones', async () => {
      const sessions = new Sessions()
      await start({
        session: memorySession({ store: sessions }),
        after: (app, otp) => {
          const guard = otp.requireOtp({
            purpose: 'transfer',
            details: (req) => ({ ...(req.body as object) }),
          })
          app.post('/transfer-later', guard, (_req, res) => void res.json({ sent: true }))
        },
      })
      const jar = await host.signedIn()
      await proven(jar)
      // Somebody who can bring back the session as it was: a backup, a lost write, a cookie session.
      const before = { ...(sessions as unknown as { sessions: Record<string, string> }).sessions }
      await jar.post('/transfer').send(ASK).expect(200)
      Object.assign((sessions as unknown as { sessions: object }).sessions, before)
      await jar.post('/transfer').send(ASK).expect(401)
      await proven(jar)
      const again = { ...(sessions as unknown as { sessions: Record<string, string> }).sessions }
      await jar.post('/transfer').send(ASK).expect(200)
      for (const later of [601, 3_600, 36_000]) {
        host.clock.tick(later)
        Object.assign((sessions as unknown as { sessions: object }).sessions, again)
        await jar.post('/transfer-later').send(ASK).expect(401)
      }
    })

    test('B5: after a slow request restored a spent grant, the guard asks for a new code instead of redirecting in a loop', async () => {
      const sessions = new Sessions()
      await start({ session: memorySession({ store: sessions }) })
      const jar = await host.signedIn()
      await proven(jar)
      const before = { ...(sessions as unknown as { sessions: Record<string, string> }).sessions }
      await jar.post('/transfer').send(ASK).expect(200)
      Object.assign((sessions as unknown as { sessions: object }).sessions, before)

      const led = await jar.post('/transfer').set(BROWSER).type('form').send(ASK).expect(303)
      const page = await jar
        .get(led.get('Location') ?? '')
        .set(BROWSER)
        .expect(200)
      expect(page.text).toContain('Mail me the code')
      await jar.get('/secret').expect(200)
    })

    test('B5: details that JSON cannot represent are refused', async () => {
      await start({
        after: (app, otp) => {
          const odd: Record<string, unknown> = {
            hole: new Array(1),
            undefined: undefined,
            nan: Number.NaN,
            map: new Map([[1, 2]]),
            date: new Date(0),
            nested: { amount: Number.POSITIVE_INFINITY },
            big: 1n,
            symbol: Symbol('x'),
          }
          const details = (req: { originalUrl: string }) => odd[req.originalUrl.slice('/odd/'.length)]
          app.post('/odd/:kind', otp.requireOtp({ purpose: 'odd', details }), (_req, res) => void res.send('done'))
        },
      })
      const jar = await host.signedIn()
      for (const kind of ['hole', 'undefined', 'nan', 'map', 'date', 'nested', 'big', 'symbol']) {
        const answer = await jar.post(`/odd/${kind}`).send({})
        expect([kind, answer.status]).toEqual([kind, 400])
      }
    })
  })

  test('B6: the address is the signed-in user’s, whatever a request says', async () => {
    await start({ otp: { limits: { resendAfter: 1, sendsPerUser: { capacity: 100, refill: 1 } } } })
    const jar = await host.signedIn(ANA)
    const evil = 'evil@example.org'
    const bodies = [
      { email: evil },
      { to: evil, cc: evil, bcc: evil, address: evil, user: { id: 'u1', email: evil } },
      { email: [ANA.email, evil] },
      { email: { address: evil } },
      { email: `${ANA.email},${evil}` },
      { 'email[]': evil },
      { identity: { email: evil }, masked: evil, recipient: evil },
    ]
    let sent = 0
    for (const body of bodies) {
      for (const type of ['json', 'form']) {
        host.clock.tick(2)
        const page = `/2fa/send?email=${evil}&to=${evil}`
        await jar.post(page).type(type).set('Accept', 'application/json').set('X-Forwarded-Email', evil).send(body)
        sent += 1
      }
    }
    await host.mailbox.mails(sent)
    expect(host.mailbox.received.map(({ to }) => to)).toEqual(Array(sent).fill([ANA.email]))
    expect(host.mailbox.received.some(({ raw }) => raw.includes('evil'))).toBe(false)
  })

  describe('typed addresses', () => {
    const TYPED: Partial<OtpOptions> = {
      user: undefined as never,
      typedEmail: true,
      limits: { sendsPerIp: { capacity: 1000 } },
    }
    const send = (jar: Agent, email: string) => jar.post('/2fa/send').send({ email }).expect(200)

    test('B7: a second address voids the first: its code is refused', async () => {
      const verified: unknown[] = []
      await start({ otp: { ...TYPED, onVerified: (_req, { user }) => void verified.push(user.email) } })
      const jar = host.jar()
      await send(jar, 'mine@example.com')
      await host.mailbox.mails(1)
      const { code } = host.mailbox
      await send(jar, 'victim@example.com')
      const refused = await guess(jar, code).expect(422)
      expect(refused.body).toMatchObject({ code: 'wrong_code' })
      await guess(jar, code, { email: 'mine@example.com' }).expect(422)
      await jar.get('/secret').expect(401)
      expect(verified).toEqual([])

      await host.mailbox.mails(2)
      await guess(jar, host.mailbox.code, { email: 'other@example.com' }).expect(200)
      expect(verified).toEqual(['victim@example.com'])
    })

    test('B7: switching to and fro while guessing proves nothing but the address whose code it is', async () => {
      const verified: string[] = []
      await start({ otp: { ...TYPED, onVerified: (_req, { user }) => void verified.push(user.email) } })
      const switchToAndFro = async (round: number): Promise<void> => {
        const jar = host.jar()
        const [mine, victim] = [`mine${round}@example.com`, `victim${round}@example.com`]
        await send(jar, mine)
        const code = codeIn(await host.mailbox.mailTo(mine))
        await Promise.all([
          jar.post('/2fa/send').send({ email: victim }),
          guess(jar, code),
          guess(jar, code, { email: victim }),
        ])
        await host.mailbox.mailTo(victim)
      }
      await Promise.all(Array.from({ length: 20 }, (_, round) => switchToAndFro(round)))
      expect(verified.filter((email) => email.startsWith('victim'))).toEqual([])
    })

    test('B7: a proven address is not the proof of a user who signs in afterwards', async () => {
      await start({ otp: { typedEmail: true } })
      const jar = host.jar()
      await send(jar, 'mine@example.com')
      await host.mailbox.mails(1)
      const { code } = host.mailbox
      await jar.post('/login').send({ user: ANA }).expect(200)
      await guess(jar, code).expect(422)

      const second = host.jar()
      await send(second, ANA.email)
      await host.mailbox.mails(2)
      await guess(second, host.mailbox.code).expect(200)
      await second.get('/secret').expect(200)
      await second.post('/login').send({ user: ANA }).expect(200)
      await second.get('/secret').expect(401)
    })

    test('B7: onVerified signs in one person; the grant of another address does not become theirs', async () => {
      await start({
        otp: {
          typedEmail: true,
          onVerified: (req) => {
            req.session.user = BEN // a host with a bug: it signs in somebody whose address was not proven
          },
        },
      })
      const jar = host.jar()
      await send(jar, 'mine@example.com')
      await host.mailbox.mails(1)
      await guess(jar, host.mailbox.code).expect(200)
      expect((await jar.get('/me')).body).toMatchObject({ user: { id: BEN.id } })
      await jar.get('/secret').expect(401)
    })
  })

  describe('B8: no step can be skipped', () => {
    test('B8: verifying first is answered, not crashed on', async () => {
      await start()
      const jar = await host.signedIn()
      const json = await guess(jar, '123456').expect(422)
      expect(json.body).toMatchObject({ code: 'no_challenge' })
      const page = await submit(jar, '/2fa/verify', { code: '123456' })
      expect(page.text).toContain('Mail me a new code')
      await guess(host.jar(), '123456').expect(401)
    })

    test('B8: none of 200 likely names in query, header, cookie or body verifies', async () => {
      await start({
        after: (app, otp) => {
          app.post('/secret', otp.requireOtp(), (_req, res) => void res.send('the secret'))
        },
      })
      const login = await request(host.origin).post('/login').send({ user: ANA })
      const session = cookieOf(login)
      const stems = 'otp 2fa mfa twofactor verified authenticated grant access admin trusted bypass skip debug test'
      const shapes = [
        '%',
        'is%',
        'is-%',
        '%_verified',
        '%ed',
        'x-%',
        '%-ok',
        '%_passed',
        'skip_%',
        'no%',
        'otp.%',
        'otp[%]',
      ]
      const names = stems.split(' ').flatMap((stem) => shapes.map((shape) => shape.replace('%', stem)))
      names.push(
        ...'__proto__[verified] constructor[prototype][otp] session[otp][grants][0][at] grants[0][purpose] req.session.otp'.split(
          ' ',
        ),
        ...'user[verified] locals.otp X-Original-URL X-Rewrite-URL X-Forwarded-User X-HTTP-Method-Override'.split(' '),
        ...'_method for code purpose maxAge at id identity email remember remember_device backup recovery'.split(' '),
        ...'challenge digest secret token state next return_to returnTo redirect force internal'.split(' '),
      )
      expect(names.length).toBeGreaterThanOrEqual(200)
      for (const name of names) {
        const query = new URLSearchParams([[name, 'true']]).toString()
        const header = /^[\w-]+$/.test(name) ? name : 'x-none'
        const cookies = `${session}; ${header}=true; otp=%7B%22grants%22%3A%5B%7B%22purpose%22%3A%22access%22%7D%5D%7D`
        const get = request(host.origin).get(`/secret?${query}`)
        const post = request(host.origin).post(`/secret?${query}`)
        const answers = await Promise.all([
          get.set('Cookie', cookies).set(header, header === 'x-none' ? 'true' : '1'),
          post.set('Cookie', cookies).send({ [name]: true }),
          request(host.origin).post('/secret').set('Cookie', cookies).type('form').send(`${query}&otp[verified]=1`),
        ])
        expect([name, ...answers.map(({ status }) => status)]).toEqual([name, 401, 401, 401])
      }
    }, 60_000)
  })
})
