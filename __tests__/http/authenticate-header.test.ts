import { guess, guessWrongly } from '../helpers/guessing.js'
import { HostApp, JSON_CLIENT, NAVIGATE } from '../helpers/host-app.js'

let host: HostApp
afterEach(() => host.close())

/** RFC 9110 11.6.1: a scheme, and its parameters as quoted strings. */
const CHALLENGE =
  /^[A-Za-z]+(?: [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(?:, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*)?$/

test('a 401 of a guard says in the words of RFC 9470 how old the verification may be', async () => {
  host = await HostApp.start()
  const jar = await host.signedIn()
  const plain = await jar.get('/secret').set(JSON_CLIENT).expect(401)
  expect(plain.get('WWW-Authenticate')).toMatch(CHALLENGE)
  expect(plain.get('WWW-Authenticate')).toBe(
    'EmailOtp error="insufficient_user_authentication", ' +
      'error_description="A code that is mailed to the user is required", max_age="43200"',
  )
  const action = await jar.post('/transfer').send({ amount: '5', payee: 'Ben' }).expect(401)
  expect(action.get('WWW-Authenticate')).toContain('max_age="300"')
})

test('each 401 that asks for a sign-in has the scheme alone: of a guard and of our pages, JSON and HTML', async () => {
  host = await HostApp.start()
  for (const page of ['/secret', '/2fa']) {
    for (const headers of [JSON_CLIENT, NAVIGATE]) {
      const answer = await host.jar().get(page).set(headers).expect(401)
      expect(answer.get('WWW-Authenticate')).toBe('EmailOtp')
    }
  }
  expect((await host.jar().post('/2fa/send').send({}).expect(401)).get('WWW-Authenticate')).toBe('EmailOtp')
})

test('no other answer has a challenge', async () => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  const answers = [
    await jar.get('/secret').set(NAVIGATE).expect(303),
    await jar.get('/2fa').set(NAVIGATE).expect(200),
    ...(await guessWrongly(jar, code, 6)),
    await jar.post('/2fa/send').set('Sec-Fetch-Site', 'cross-site').send({}).expect(403),
  ]
  expect(answers.map((answer) => answer.get('WWW-Authenticate'))).toEqual(answers.map(() => undefined))
})

test('each 429 has Retry-After: 0 when the guesses are used up, since a new code may be asked for at once', async () => {
  host = await HostApp.start()
  const { jar, code } = await host.asked()
  const soon = await jar.post('/2fa/send').send({}).expect(429)
  expect(soon.get('Retry-After')).toBe('30')
  const last = (await guessWrongly(jar, code, 6)).at(-1)
  expect(last?.status).toBe(429)
  expect(last?.body).toMatchObject({ code: 'code_exhausted', retry_after: 0 })
  expect(last?.get('Retry-After')).toBe('0')
  await jar.post('/2fa/send').send({}).expect(200)
  await guess(jar, host.mailbox.code).expect(200)
})
