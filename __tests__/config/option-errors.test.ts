import { emailOtp, type OtpOptions, OtpError, PostgresStore, RedisStore } from '../../src/index.js'
import { HostApp, SECRET } from '../helpers/host-app.js'

const GOOD: OtpOptions = {
  secret: SECRET,
  site: { name: 'Acme' },
  mail: { transport: 'smtp://127.0.0.1:1', from: 'no-reply@acme.example' },
  user: () => null,
}

function errorOf(call: () => unknown): OtpError {
  try {
    call()
  } catch (error) {
    if (error instanceof OtpError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const otp = emailOtp(GOOD)
afterAll(() => otp.close())

test.each<[string, () => unknown, string]>([
  [
    'emailOtp',
    () => emailOtp({ ...GOOD, lifetme: 60 } as never),
    'emailOtp: unknown option `lifetme`. Did you mean "lifetime"?',
  ],
  ['emailOtp without options', () => emailOtp(undefined as never), 'emailOtp: option `options` is missing.'],
  [
    'requireOtp',
    () => otp.requireOtp({ purpos: 'x' } as never),
    'requireOtp: unknown option `purpos`. Did you mean "purpose"?',
  ],
  ['requireOtp with null', () => otp.requireOtp(null as never), 'requireOtp: option `options` is not usable.'],
  [
    'requireOtp with a function',
    () => otp.requireOtp((() => true) as never),
    'requireOtp: option `options` is not usable.',
  ],
  [
    'requireOtp with a maxAge of 0',
    () => otp.requireOtp({ maxAge: 0 }),
    'requireOtp: option `maxAge` is 0. Give seconds',
  ],
  ['RedisStore', () => new RedisStore({} as never), 'RedisStore: option `send` is missing.'],
  ['PostgresStore', () => new PostgresStore({ query: 1 } as never), 'PostgresStore: option `query` is 1.'],
])('a mistake in the options of %s names the function that was called', (_name, call, message) => {
  const error = errorOf(call)
  expect(error.code).toBe('invalid_option')
  expect(error.message).toContain(message)
})

test('a mistake in the options of start() names it', async () => {
  const host = await HostApp.start({
    after: (app, plugin) =>
      void app.post('/start', (req, res) => {
        plugin.start(req, { returnto: '/' } as never).then(
          () => res.send('started'),
          (error: unknown) => res.status(500).send(String(error)),
        )
      }),
  })
  const { text } = await (await host.signedIn()).post('/start').expect(500)
  expect(text).toContain('start: unknown option `returnto`. Did you mean "returnTo"?')
  await host.close()
})

test.each([
  '',
  ' ',
  'a\nb',
  'cookie',
  'user',
  'passport',
  '__proto__',
  'constructor',
  'toString',
  'save',
  'touch',
  7,
  null,
])('H3: the session key %p is refused', (sessionKey) => {
  expect(errorOf(() => emailOtp({ ...GOOD, sessionKey: sessionKey as string })).message).toMatch(/option `sessionKey`/)
})

test('allowInsecureSmtp beside requireTLS: true is a contradiction', () => {
  const transport = { host: 'mail.example', requireTLS: true }
  const mail = { ...GOOD.mail, transport, allowInsecureSmtp: true }
  expect(errorOf(() => emailOtp({ ...GOOD, mail })).message).toMatch(/contradicts `requireTLS: true`/)
})
