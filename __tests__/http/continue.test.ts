import { randomBytes } from 'node:crypto'
import {
  ANA,
  type Agent,
  BEN,
  HostApp,
  JSON_CLIENT,
  NAVIGATE,
  sealedIn,
  submit,
  submitCode,
} from '../helpers/host-app.js'
import { guess } from '../helpers/guessing.js'
import { wrongCode } from '../helpers/mailbox.js'

let host: HostApp
afterEach(() => host.close())

const SIGNS_IN = {
  typedEmail: true,
  onVerified: (req: { session?: unknown }, { user }: { user: { email: string } }) => {
    Object.assign(req.session as object, { user: user.email === ANA.email ? ANA : BEN })
  },
} as const

/** A session with the page of `/secret`, which has mailed the code. */
async function asked(jar: Agent, fields: object = {}): Promise<{ page: string; form: { for: string; code: string } }> {
  const mails = host.mailbox.received.length
  const page = (await jar.get('/secret').set(NAVIGATE).expect(303)).get('Location') ?? ''
  const sealed = sealedIn((await jar.get(page).set(NAVIGATE).expect(200)).text)
  await jar
    .post('/2fa/send')
    .send({ for: sealed, ...fields })
    .expect(200)
  await host.mailbox.mails(mails + 1)
  return { page, form: { for: sealed, code: host.mailbox.code } }
}

describe('GET /continue', () => {
  test('goes on to the guarded page by itself and by a link', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const { form } = await asked(jar)
    const page = await submit(jar, '/2fa/verify', form)
    expect(page.status).toBe(200)
    expect(page.get('Refresh')).toBe('0; url=/secret')
    expect(page.text).toContain('<h1>Your code was right</h1>')
    expect(page.text).toContain('<a class="otp-button" href="/secret">Continue</a>')
    expect(page.text).not.toContain('<form')
  })

  test('without a grant it leads to the page, and sends nothing', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const { page, form } = await asked(jar)
    const url = `/2fa/continue?for=${form.for}`
    expect((await jar.get(url).set(NAVIGATE).expect(303)).get('Location')).toBe(page)
    expect((await jar.get('/2fa/continue').set(NAVIGATE).expect(303)).get('Location')).toBe('/2fa')
    expect((await jar.get(url).set(JSON_CLIENT).expect(200)).body).toMatchObject({ state: 'code' })
    await guess(jar, form.code, { for: form.for }).expect(200)
    host.clock.tick(43_201)
    expect((await jar.get('/2fa/continue').set(NAVIGATE).expect(303)).get('Location')).toBe('/2fa')
    await host.jar().get(url).set(NAVIGATE).expect(401)
    expect(host.mailbox.received).toHaveLength(1)
  })

  test('stays where it is if our own page is `home`', async () => {
    host = await HostApp.start({ otp: { home: '/2fa' } })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(200)
    const page = await submit(jar, '/2fa/verify', { code: host.mailbox.code })
    expect(page.get('Refresh')).toBeUndefined()
    expect(page.text).not.toContain('>Continue<')
  })

  test('carries the step-up sealed anew for whom verifying has signed in; the old one works on in that session', async () => {
    host = await HostApp.start({ otp: SIGNS_IN })
    const jar = host.jar()
    const { page, form } = await asked(jar, { email: ANA.email })
    expect(await submitCode(jar, form)).toBe('/secret')
    expect((await jar.get('/me')).body).toMatchObject({ user: { id: ANA.id } })
    expect((await jar.get(page).set(NAVIGATE).expect(200)).text).toContain('Verified. Access granted.')
    await (await host.signedIn(ANA)).get(page).set(NAVIGATE).expect(409)
    await (await host.signedIn(BEN)).get(page).set(NAVIGATE).expect(409)
  })
})

test('the longest step-up goes on to its page too where verifying has signed somebody in', async () => {
  host = await HostApp.start({ otp: SIGNS_IN })
  const jar = host.jar()
  const [guarded, sealed] = await longest(jar)
  await jar.post('/2fa/send').send({ for: sealed, email: ANA.email }).expect(200)
  await host.mailbox.mails(1)
  expect(await submitCode(jar, { for: sealed, code: host.mailbox.code })).toBe(guarded)
})

/** The longest guarded URL whose step-up fits, and the step-up. */
async function longest(jar: Agent): Promise<[string, string]> {
  for (let bytes = 2_470; bytes > 0; bytes--) {
    const url = `/secret?q=${randomBytes(bytes).toString('base64url')}`
    const { headers } = await jar.get(url).set(NAVIGATE).expect(303)
    const sealed = String(headers.location).replace(/.*for=/, '')
    if (sealed.length > 3_000) return [url, sealed] // a longer one has left its page behind
  }
  throw new Error('none is long')
}

describe('H9: a right code that is sent again', () => {
  test('H9: is told verified, after the first answer: one grant, nothing counted', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const { form } = await asked(jar)
    for (let times = 0; times < 3; times++) expect(await submitCode(jar, form)).toBe('/secret')
    const again = await guess(jar, form.code, { for: form.for }).expect(200)
    expect(again.body).toEqual({ verified: true, purpose: 'access', return_to: '/secret' })
    expect(host.events.map(({ type }) => type)).toEqual(['issued', 'sent', 'verified'])
    await guess(jar, wrongCode(form.code), { for: form.for }).expect(200)
    expect(host.events).toHaveLength(3)
  })

  test('H9: is told verified too where verifying has signed somebody in', async () => {
    host = await HostApp.start({ otp: SIGNS_IN })
    const jar = host.jar()
    const { form } = await asked(jar, { email: ANA.email })
    for (let times = 0; times < 2; times++) expect(await submitCode(jar, form)).toBe('/secret')
  })

  test('H9: is refused without a grant of this challenge: for another purpose, after forget, with a newer code open', async () => {
    host = await HostApp.start({
      after: (app, otp) =>
        app.post('/forget', (req, res) => {
          otp.forget(req)
          res.json({})
        }),
    })
    const jar = await host.signedIn()
    const { form } = await asked(jar)
    await guess(jar, form.code, { for: form.for }).expect(200)
    const action = await jar.post('/transfer').send({ amount: '5', payee: 'Ben' }).expect(401)
    expect((await guess(jar, form.code, { for: action.body.for }).expect(422)).body.code).toBe('no_challenge')
    await jar.post('/2fa/send').send({ for: form.for }).expect(200)
    const newer = host.mailbox.code
    host.clock.tick(601)
    expect((await guess(jar, newer, { for: form.for }).expect(422)).body.code).toBe('code_expired')
    await jar.post('/2fa/restart').send({ for: form.for }).expect(200)
    await jar.post('/forget').expect(200)
    expect((await guess(jar, form.code, { for: form.for }).expect(422)).body.code).toBe('no_challenge')
  })
})

describe('B4: a `for` that is older than an hour', () => {
  /** A transfer that was asked for from /accounts more than an hour ago. */
  async function old(jar: Agent): Promise<{ sealed: string }> {
    const from = { Referer: `${host.origin}/accounts?from=1` }
    const guarded = await jar.post('/transfer').set(from).send({ amount: '5', payee: 'Ben' }).expect(401)
    host.clock.tick(3_601)
    return { sealed: String(guarded.body.for) }
  }

  test.each(['send', 'verify', 'restart'])(
    'B4: POST /%s leads back to its page, and nothing is mailed or counted',
    async (route) => {
      host = await HostApp.start()
      const jar = await host.signedIn()
      const { sealed } = await old(jar)
      const form = { for: sealed, code: '000000' }
      const page = await jar.post(`/2fa/${route}`).set(NAVIGATE).type('form').send(form).expect(303)
      expect(page.get('Location')).toBe('/accounts?from=1')
      const { body, status } = await jar.post(`/2fa/${route}`).send(form)
      expect([status, body.code, body.return_to]).toEqual([409, 'step_up_expired', '/accounts?from=1'])
      expect(host.events).toEqual([])
    },
  )

  test('B4: so do the page and /continue, where a plain grant is', async () => {
    host = await HostApp.start()
    const { jar, code } = await host.asked()
    await guess(jar, code).expect(200)
    const { sealed } = await old(jar)
    for (const url of [`/2fa?for=${sealed}`, `/2fa/continue?for=${sealed}`]) {
      expect((await jar.get(url).set(NAVIGATE).expect(303)).get('Location')).toBe('/accounts?from=1')
      expect((await jar.get(url).set(JSON_CLIENT).expect(409)).body).toMatchObject({ code: 'step_up_expired' })
    }
  })

  test('B4: its page is told to its owner only: for anybody else it is like an altered one', async () => {
    host = await HostApp.start()
    const ana = await host.signedIn()
    const { sealed } = await old(ana)
    const ben = await host.signedIn(BEN)
    const answers = []
    for (const text of [sealed, `${sealed}A`, 'x']) {
      answers.push(await ben.get(`/2fa?for=${text}`).set(NAVIGATE), await ben.post('/2fa/send').send({ for: text }))
    }
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(409))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2)
    expect(answers[0]?.text).toContain('This page is out of date')
    expect(answers[0]?.text).toContain('<a class="otp-button" href="/">')
    expect(answers[0]?.text).not.toContain('accounts')
    expect(host.events).toEqual([])
  })

  test('B4: where it stands in body and URL, the body wins', async () => {
    host = await HostApp.start()
    const jar = await host.signedIn()
    const guarded = await jar.post('/transfer').send({ amount: '5', payee: 'Ben' }).expect(401)
    const good = String(guarded.body.for)
    await jar.post('/2fa/send?for=x').send({ for: good }).expect(200)
    expect((await jar.post(`/2fa/send?for=${good}`).send({ for: 'x' }).expect(409)).body.code).toBe('step_up_expired')
    const inUrl = await guess(jar, host.mailbox.code, {}).query({ for: good }).expect(200)
    expect(inUrl.body).toMatchObject({ purpose: 'transfer' })
  })
})
