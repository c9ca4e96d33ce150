import { emailOtp, type OtpOptions, OtpError, PostgresStore, RedisStore } from '../../src/index.js'
import { resolveSettings } from '../../src/config/settings.js'
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
  [
    'emailOtp, with a list of origins',
    () => emailOtp({ ...GOOD, trustedOrgins: [] } as never),
    'emailOtp: unknown option `trustedOrgins`. Did you mean "trustedOrigins"?',
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

test.each<[unknown]>([
  ['https://app.acme.example'],
  [null],
  [['null']],
  [[null]],
  [['*']],
  [['https://*.acme.example']],
  [['http://app.acme.example']],
  [['https://app.acme.example/']],
  [['https://app.acme.example/x']],
  [['https://app.acme.example:443']],
  [['https://ana@app.acme.example']],
  [['app.acme.example']],
  [['ftp://app.acme.example']],
  [['file://']],
  [['']],
  [[' https://app.acme.example']],
  [[/acme/]],
  [new Array(1)],
])('W1: trustedOrigins of %j are refused', (trustedOrigins) => {
  const { code, message } = errorOf(() => emailOtp({ ...GOOD, trustedOrigins: trustedOrigins as string[] }))
  expect(code).toBe('invalid_option')
  expect(message).toMatch(/option `trustedOrigins` is .* exact origins, such as https:\/\/app.acme.example/)
})

test('W1: trustedOrigins may be https, or plain http on this machine; site.origin is always one of them', () => {
  const site = { name: 'Acme', origin: 'https://acme.example' }
  const given = Object.freeze(['https://APP.acme.example:8443', 'http://localhost:5173', 'http://[::1]:3000'])
  const { trustedOrigins } = resolveSettings({ ...GOOD, site, trustedOrigins: given })
  expect(trustedOrigins).toEqual([site.origin, given[0]?.toLowerCase(), given[1], given[2]])
  expect(resolveSettings({ ...GOOD, site }).trustedOrigins).toEqual([site.origin])
  expect(resolveSettings(GOOD).trustedOrigins).toEqual([])
})

test('allowInsecureSmtp beside requireTLS: true is a contradiction', () => {
  const transport = { host: 'mail.example', requireTLS: true }
  const mail = { ...GOOD.mail, transport, allowInsecureSmtp: true }
  expect(errorOf(() => emailOtp({ ...GOOD, mail })).message).toMatch(/contradicts `requireTLS: true`/)
})
