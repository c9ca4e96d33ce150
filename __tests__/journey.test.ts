import express4 from 'express4'
import express5 from 'express'
import { ANA, BROWSER, HostApp, NAVIGATE, sealedIn, submit, submitCode } from './helpers/host-app.js'
import { wrongCode } from './helpers/mailbox.js'

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('on %s', (_name, framework) => {
  let host: HostApp
  afterEach(() => host.close())

  test('a browser without script goes from the guarded page to the code and back', async () => {
    host = await HostApp.start({ framework })
    const jar = await host.signedIn(ANA)

    const led = await jar.get('/secret?tab=2').set(NAVIGATE).expect(303)
    const page = led.get('Location') ?? ''
    expect(page).toMatch(/^\/2fa\?for=[\w-]+$/)

    const offer = await jar.get(page).set(NAVIGATE).expect(200)
    expect(offer.text).toContain('Mail me the code')
    expect(offer.text).toContain('a•••@example.com')
    expect(offer.text).not.toContain('ana@example.com')
    expect(host.mailbox.received).toHaveLength(0)

    const sealed = sealedIn(offer.text)
    const sent = await jar.post('/2fa/send').set(NAVIGATE).type('form').send({ for: sealed }).expect(303)
    expect(sent.get('Location')).toBe(page)
    const [mail] = await host.mailbox.mails(1)
    expect(mail?.to).toEqual(['ana@example.com'])

    const asked = await jar.get(page).set(NAVIGATE).expect(200)
    expect(asked.text).toContain('Enter the 6-digit code')

    const form = { for: sealed, code: wrongCode(host.mailbox.code) }
    const wrong = await submit(jar, '/2fa/verify', form)
    expect(wrong.text).toContain('That code is not right')
    expect(wrong.text).toContain('Guesses left: 4')

    const right = { for: sealed, code: host.mailbox.code }
    expect(await submitCode(jar, right)).toBe('/secret?tab=2')
    const secret = await jar.get('/secret?tab=2').set(NAVIGATE).expect(200)
    expect(secret.text).toBe('the secret')
  })

  test('a JSON client does the same through problem details', async () => {
    host = await HostApp.start({ framework })
    const jar = await host.signedIn(ANA)

    const shut = await jar.get('/secret').expect(401)
    expect(shut.type).toBe('application/problem+json')
    expect(shut.body).toMatchObject({
      code: 'otp_required',
      status: 401,
      purpose: 'access',
      max_age: 43_200,
      send_url: '/2fa/send',
      verify_url: '/2fa/verify',
    })
    const { for: sealed, send_url, verify_url } = shut.body as Record<string, string>

    const sent = await jar.post(String(send_url)).send({ for: sealed }).expect(200)
    expect(sent.body).toMatchObject({
      sent_to: 'a•••@example.com',
      format: { digits: 6 },
      expires_in: 600,
      resend_in: 30,
      delivery: 'sent',
    })
    expect(host.mailbox.last.mail.text).toContain((sent.body as { tag: string }).tag)

    const code = host.mailbox.code
    const wrong = await jar
      .post(String(verify_url))
      .send({ for: sealed, code: wrongCode(code) })
      .expect(422)
    expect(wrong.body).toMatchObject({ code: 'wrong_code', attempts_left: 4 })
    const done = await jar.post(String(verify_url)).send({ for: sealed, code }).expect(200)
    expect(done.body).toEqual({ verified: true, purpose: 'access', return_to: '/secret' })
    await jar.get('/secret').expect(200, 'the secret')
  })

  test('a typed address is proven: form, wrong length, wrong code, right code', async () => {
    const verified: unknown[] = []
    host = await HostApp.start({
      framework,
      otp: {
        user: undefined as never,
        typedEmail: true,
        onVerified: (_req, what) => void verified.push(what),
      },
    })
    const jar = host.jar()
    const led = await jar.get('/secret').set(BROWSER).expect(303)
    const ask = await jar
      .get(led.get('Location') ?? '')
      .set(BROWSER)
      .expect(200)
    expect(ask.text).toContain('Verify your e‑mail address')
    const sealed = sealedIn(ask.text)
    const post = (path: string, fields: object) => submit(jar, `/2fa/${path}`, { for: sealed, ...fields }, BROWSER)

    const form = await post('send', { email: 'ana at example' })
    expect(form.text).toContain('Enter one address, such as ana@example.com.')
    expect(form.text).toContain('value="ana at example"')

    const sent = await post('send', { email: 'Ana@Example.com' })
    expect(sent.text).toContain('Enter the 8-digit code')
    const [mail] = await host.mailbox.mails(1)
    expect(mail?.to).toEqual(['Ana@example.com'])

    const short = await post('verify', { code: '123' })
    expect(short.text).toContain('Enter the 8-digit code')
    const wrong = await post('verify', { code: wrongCode(host.mailbox.code) })
    expect(wrong.text).toContain('That code is not right. Guesses left: 4.')

    expect(await submitCode(jar, { for: sealed, code: host.mailbox.code }, BROWSER)).toBe('/secret')
    expect(verified).toEqual([{ user: { id: 'ana@example.com', email: 'Ana@example.com' }, purpose: 'access' }])
    await jar.get('/secret').set(BROWSER).expect(200, 'the secret')
    const state = await jar.get('/2fa').set(BROWSER).expect(200)
    expect(state.text).toContain('Verified. Access granted.')
  })
})
