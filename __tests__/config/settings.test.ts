import { SECRET } from '../helpers/host-app.js'
import { resolveSettings } from '../../src/config/settings.js'
import { emailOtp, OtpError, type OtpOptions } from '../../src/index.js'

const GOOD: OtpOptions = {
  secret: SECRET,
  site: { name: 'Acme', origin: 'https://acme.example' },
  mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
  user: () => null,
}

const TYPED_ONLY: OtpOptions = { secret: SECRET, site: GOOD.site, mail: GOOD.mail, typedEmail: true }

function refusal(options: unknown): OtpError {
  try {
    void emailOtp(options as OtpOptions).close()
  } catch (error) {
    if (error instanceof OtpError) return error
    throw error
  }
  throw new Error('it was taken')
}

const operation = () => null
const cycle: Record<string, unknown> = {}
cycle.self = cycle

describe('each misconfiguration names option, value and hint', () => {
  test.each<[string, unknown, string, string]>([
    // option as it is named, what stands in its place, the value as it is shown, a part of the hint
    ['site', undefined, 'missing', 'Give an object with `name`'],
    ['site', 'Acme', '"Acme"', 'Give an object'],
    ['site', null, 'null', 'Give an object'],
    ['site.name', { site: {} }, 'missing', 'Give some text'],
    ['site.name', { site: { name: '  ' } }, '"  "', 'Give some text'],
    ['site.name', { site: { name: 'Acme\r\nBcc: evil@example.com' } }, '"Acme\\r\\nBcc', 'Remove line breaks'],
    ['site.name', { site: { name: 'Ac\u0000me' } }, '"Ac\\u0000me"', 'Remove line breaks'],
    ['site.origin', { site: { name: 'A', origin: 'acme.example' } }, '"acme.example"', 'https://acme.example'],
    ['site.origin', { site: { name: 'A', origin: 'https://a.example/x' } }, '"https://a.example/x"', 'only'],
    ['site.origin', { site: { name: 'A', origin: 'https://a.example/' } }, '"https://a.example/"', 'only'],
    ['site.origin', { site: { name: 'A', origin: 'ftp://a.example' } }, '"ftp://a.example"', 'only'],
    ['site.origin', { site: { name: 'A', origin: 7 } }, '7', 'Give some text'],
    ['site.supportUrl', { site: { name: 'A', supportUrl: 'javascript:alert(1)' } }, '"javascript:', 'mailto:'],
    ['site.supportUrl', { site: { name: 'A', supportUrl: '//evil.example' } }, '"//evil.example"', 'Give a path'],
    ['user', undefined, 'missing', 'typedEmail: true'],
    ['user', null, 'null', 'Give a function'],
    ['user', { id: 1 }, '{"id":1}', 'Give a function'],
    ['typedEmail', 'yes', '"yes"', 'Give an object with `accept`'],
    ['typedEmail.accept', { typedEmail: { accept: true } }, 'true', 'Give a function'],
    ['onVerified', 'signIn', '"signIn"', 'Give a function'],
    ['path', '2fa', '"2fa"', 'begins with one slash'],
    ['path', '//evil.example', '"//evil.example"', 'begins with one slash'],
    ['path', '/', '"/"', '/2fa'],
    ['path', '/2fa?x=1', '"/2fa?x=1"', '/2fa'],
    ['path', 7, '7', 'begins with one slash'],
    ['basePath', '/shop/', '"/shop/"', 'one slash at the front, none at the end'],
    ['basePath', 'shop', '"shop"', 'one slash at the front'],
    ['basePath', '//shop', '"//shop"', 'one slash at the front'],
    ['basePath', '/a//b', '"/a//b"', 'one slash at the front'],
    ['basePath', '/', '"/"', 'one slash at the front'],
    ['basePath', '/shop?x', '"/shop?x"', 'one slash at the front'],
    ['home', 'https://evil.example', '"https://evil.example"', 'Give a path on this site'],
    ['signIn', '/\\evil.example', '"/\\\\evil.example"', 'Give a path on this site'],
    ['trustBrowser', true, 'true', 'Give an object with `days`'],
    ['trustBrowser.days', { trustBrowser: {} }, 'missing', 'from 1 to 30'],
    ['trustBrowser.days', { trustBrowser: { days: 31 } }, '31', 'from 1 to 30'],
    ['trustBrowser.days', { trustBrowser: { days: 1.5 } }, '1.5', 'from 1 to 30'],
    ['trustBrowser', { trustBrowser: { days: 7 }, user: undefined, typedEmail: true }, '{"days":7}', 'Give `user` too'],
    ['autoSend', 'no', '"no"', 'true, false'],
    ['locale', 'pt_BR', '"pt_BR"', 'BCP 47'],
    ['locale', 7, '7', 'BCP 47'],
    ['locals', {}, '{}', 'Give a function'],
    ['renderPage', 'layout.ejs', '"layout.ejs"', 'Give a function'],
    ['formFields', { _csrf: 'x' }, '{"_csrf":"x"}', 'Give a function'],
    ['contentSecurityPolicy', true, 'true', 'Give some text'],
    ['contentSecurityPolicy', "default-src 'none'\r\nX: y", '"default-src', 'Remove line breaks'],
    ['now', 5, '5', 'Give a function'],
    ['views', 7, '7', 'Give some text'],
    ['views', [''], '""', 'Give some text'],
    ['store', null, 'not usable', 'new MemoryStore()'],
    ['store', 'redis://:hunter2@localhost', 'not usable', 'new MemoryStore()'],
    ['store', { open: () => null }, 'not usable', 'redeem()'],
    [
      'store.deadline',
      { store: { open: operation, redeem: operation, spend: operation, deadline: 0 } },
      '0',
      '0.1 to 60',
    ],
    [
      'store.deadline',
      { store: { open: operation, redeem: operation, spend: operation, deadline: Number.NaN } },
      'NaN',
      '0.1 to 60',
    ],
    ['code', 6, '6', 'Give an object'],
    ['code', { code: { digits: 6, alphabet: 'ABC', length: 9 } }, '{"digits":6', '`digits`, or `alphabet`'],
    ['code.subject', { code: { subject: true } }, 'true', '"auto", "always", "never"'],
    ['code.alphabet', { code: { alphabet: 'ABCabc', length: 9 } }, '"ABCabc"', 'letters of one case'],
    ['code.alphabet', { code: { alphabet: 'A', length: 9 } }, '"A"', 'at least two'],
    ['code.alphabet', { code: { alphabet: 'AAB', length: 30 } }, '"AAB"', 'each character once'],
    ['code.alphabet', { code: { alphabet: 'ÄÖÜ', length: 30 } }, '"ÄÖÜ"', 'ASCII'],
    ['code.alphabet', { code: { length: 9 } }, 'missing', 'ASCII'],
    ['code.length', { code: { alphabet: 'ABCDEFGH' } }, 'missing', 'whole number from 1 to 32'],
    ['code', { code: { alphabet: 'ABCDEFGHIJKLMNOPQRST', length: 32 } }, '"32 of 20 characters"', 'shorten it'],
    ['attempts', cycle, 'an object', 'from 1 to 10'],
    ['attempts', 5n, '5', 'from 1 to 10'],
    ['attempts', Symbol('five'), 'a symbol', 'from 1 to 10'],
  ])('%s: %p', (option, value, shown, hint) => {
    const [top = ''] = option.split('.')
    const isWhole = typeof value === 'object' && value !== null && top in value
    const error = refusal({ ...GOOD, ...(isWhole ? value : { [top]: value }) })
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain(`option \`${option}\` is ${shown}`)
    expect(error.message).toContain(hint)
  })

  test.each([undefined, null, 'text', 7, []])('options that are %p', (options) => {
    expect(refusal(options).message).toContain('`options`')
  })
})

describe('C4: the secret', () => {
  test.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['a number', 12345678901234567890123456789012n],
    ['empty', ''],
    ['of 31 characters', 'hunter2'.padEnd(31, 'x')],
    ['a list of none', []],
    ['a list with a short one', [SECRET, 'hunter2']],
    ['a list with a missing one', [SECRET, undefined]],
    ['a list in a list', [[SECRET, 'hunter2']]],
    ['bytes', Buffer.from('hunter2'.padEnd(40, 'x'))],
  ])('C4: %s throws with the hint, and is never shown', (_what, secret) => {
    const error = refusal({ ...GOOD, secret })
    expect(error.code).toBe('invalid_option')
    expect(error.message).toContain('`secret`')
    expect(error.message).not.toContain('hunter2')
    expect(error.message).not.toContain(SECRET)
    expect(error.message).toMatch(/at least (32 random characters|one secret)/)
  })

  test('C4: 32 characters are enough, and a list may rotate them', () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)]
    const { keys } = resolveSettings({ ...GOOD, secret: [b, a] })
    expect(keys.current).toBe(keys.all[0])
    expect(keys.all).toHaveLength(2)
    expect(keys.all[1]?.fingerprint).toBe(resolveSettings({ ...GOOD, secret: a }).keys.current.fingerprint)
    expect(JSON.stringify(keys)).not.toContain('aaaa')
  })

  test.each([[SECRET], [{ secret: SECRET, nested: cycle }]])(
    'a secret in the wrong place is not shown: %#',
    (options) => {
      expect(refusal(options).message).not.toContain(SECRET)
    },
  )

  test('neither is the password of a mail server', () => {
    for (const mail of ['smtp://a:hunter2@mail.example', ['smtp://a:hunter2@mail.example'], { transport: 'hunter2' }]) {
      const error = refusal({ ...GOOD, mail })
      expect(error.message).not.toContain('hunter2')
      expect(String(error.stack)).not.toContain('hunter2')
    }
  })
})

describe('C2: how many codes there are', () => {
  test.each([
    [{ digits: 5 }, '100000', '0.083 %'],
    [{ digits: 4 }, '10000', '0.83 %'],
    [{ digits: 3 }, '1000', '8.3 %'],
    [{ alphabet: 'ABCDEFGHIJ', length: 5 }, '100000', '0.083 %'],
    [{ alphabet: '01', length: 19 }, '524288', '0.016 %'],
  ])('C2: %j throws with the yearly chance in the text', (code, count, chance) => {
    const { message } = refusal({ ...GOOD, code })
    expect(message).toContain(`${count} possibilities`)
    expect(message).toContain(`a ${chance} chance a year per user`)
    expect(message).toContain('{ digits: 6 }')
  })

  test.each([
    [{ digits: 6 }],
    [{ digits: 18 }],
    [{ alphabet: '01', length: 20 }],
    [{ alphabet: '0123456789ABCDEFGHJKMNPQRSTVWXYZ', length: 12 }],
    [{ alphabet: 'abcdefghij', length: 6 }],
  ])('C2: %j is enough', (code) => {
    const { user, address } = resolveSettings({ ...GOOD, typedEmail: true, code }).code
    expect(user.length).toBe('digits' in code ? code.digits : code.length)
    expect(address).toEqual(user)
  })

  test('C2: six digits for users, eight for typed addresses, in one app too', () => {
    expect(resolveSettings(GOOD).code.user).toEqual({ alphabet: '0123456789', length: 6 })
    expect(resolveSettings(TYPED_ONLY).code.address.length).toBe(8)
    const { user, address } = resolveSettings({ ...GOOD, typedEmail: true }).code
    expect([user.length, address.length]).toEqual([6, 8])
  })

  test('C2: the chance of a year of guessing is that of the shorter format', () => {
    const limits = { failures: { capacity: 10, refill: 3_000 } } // 10 522 guesses a year
    expect(() => resolveSettings({ ...TYPED_ONLY, limits })).not.toThrow()
    expect(refusal({ ...GOOD, typedEmail: true, limits }).message).toContain('`limits.failures`')
  })
})

describe('V11: no limit can be switched off', () => {
  const bad = [0, -1, NaN, Infinity, -Infinity, '5', null, false, {}]
  const numbers: [string, (value: unknown) => object][] = [
    ['limits.sendsPerUser.capacity', (capacity) => ({ limits: { sendsPerUser: { capacity } } })],
    ['limits.sendsPerUser.refill', (refill) => ({ limits: { sendsPerUser: { refill } } })],
    ['limits.sendsPerIp.capacity', (capacity) => ({ limits: { sendsPerIp: { capacity } } })],
    ['limits.sendsPerIp.refill', (refill) => ({ limits: { sendsPerIp: { refill } } })],
    ['limits.failures.capacity', (capacity) => ({ limits: { failures: { capacity } } })],
    ['limits.failures.refill', (refill) => ({ limits: { failures: { refill } } })],
  ]

  test.each(numbers.flatMap(([option, make]) => bad.map((value) => [option, value, make] as const)))(
    'V11: %s of %p throws',
    (option, value, make) => {
      const error = refusal({ ...GOOD, ...make(value) })
      expect(error.message).toContain(`option \`${option}\` is `)
      expect(error.message).toMatch(/Give (seconds|a whole number)/)
    },
  )

  const tops = ['lifetime', 'attempts', 'grantMaxAge'].map((name) => [name, (v: unknown) => ({ [name]: v })] as const)
  const pause = ['limits.resendAfter', (resendAfter: unknown) => ({ limits: { resendAfter } })] as const
  test.each(
    [...tops, pause].flatMap(([option, make]) =>
      bad.filter((value) => value !== null).map((value) => [option, value, make] as const),
    ),
  )('V11: %s of %p throws', (option, value, make) => {
    expect(refusal({ ...GOOD, ...make(value) }).message).toContain(`option \`${option}\` is `)
  })

  test.each<[string, object]>([
    ['limits', { limits: false }],
    ['limits', { limits: 0 }],
    ['limits.sendsPerUser', { limits: { sendsPerUser: false } }],
    ['limits.sendsPerIp', { limits: { sendsPerIp: null } }],
    ['limits.failures', { limits: { failures: 0 } }],
    ['limits.failures', { limits: { failures: [] } }],
  ])('V11: %s cannot be replaced by nothing: %j', (option, options) => {
    expect(refusal({ ...GOOD, ...options }).message).toContain(`option \`${option}\` is `)
  })

  test.each<[string, object, string]>([
    ['lifetime', { lifetime: 601 }, 'from 1 to 600'],
    ['attempts', { attempts: 11 }, 'from 1 to 10'],
    ['attempts', { attempts: 2.5 }, 'whole number'],
    ['limits.resendAfter', { limits: { resendAfter: 601 } }, 'from 1 to 600'],
    ['limits.sendsPerUser.capacity', { limits: { sendsPerUser: { capacity: 1_001 } } }, 'from 1 to 1000'],
    ['limits.failures.capacity', { limits: { failures: { capacity: 1.5 } } }, 'whole number'],
  ])('V11: %s has an upper end: %j', (option, options, hint) => {
    const { message } = refusal({ ...GOOD, ...options })
    expect(message).toContain(`\`${option}\``)
    expect(message).toContain(hint)
  })

  test.each([
    [{ failures: { capacity: 1_000, refill: 1 } }],
    [{ failures: { refill: 60 } }],
    [{ failures: { capacity: 10, refill: 3_000 } }],
  ])('V11: numbers that amount to no limit throw with the chance they would leave: %j', (limits) => {
    const { message } = refusal({ ...GOOD, limits })
    expect(message).toContain('`limits.failures`')
    expect(message).toMatch(/guesses a year, a [\d.e+]+ % chance/)
  })

  test('V11: what is not written stays at its default', () => {
    const { limits } = resolveSettings({ ...GOOD, limits: { sendsPerUser: { capacity: 2 } } })
    expect(limits).toEqual({
      sendsPerUser: { capacity: 2, refill: 5_760 },
      sendsPerAddress: { capacity: 30, refill: 600 },
      sendsPerIp: { capacity: 30, refill: 120 },
      failures: { capacity: 10, refill: 432_000 },
      resend: { capacity: 1, refill: 30 },
    })
  })
})

test.each<[object, string, string]>([
  [{ secrets: SECRET }, 'secrets', 'secret'],
  [{ lifeTime: 60 }, 'lifeTime', 'lifetime'],
  [{ typedemail: true }, 'typedemail', 'typedEmail'],
  [{ contentSecurityPolicies: false }, 'contentSecurityPolicies', 'contentSecurityPolicy'],
  [{ limit: {} }, 'limit', 'limits'],
  [{ limits: { sendPerUser: {} } }, 'limits.sendPerUser', 'sendsPerUser'],
  [{ limits: { failures: { capasity: 1 } } }, 'limits.failures.capasity', 'capacity'],
  [{ code: { digit: 6 } }, 'code.digit', 'digits'],
  [{ site: { name: 'A', url: 'x', orgin: 'https://a.example' } }, 'site.url', ''],
  [{ site: { name: 'A', orgin: 'https://a.example' } }, 'site.orgin', 'origin'],
  [{ typedEmail: { acept: () => true } }, 'typedEmail.acept', 'accept'],
])('an unknown option throws and names the nearest: %j', (options, option, nearest) => {
  const { message, code } = refusal({ ...GOOD, ...options })
  expect(code).toBe('invalid_option')
  expect(message).toContain(`unknown option \`${option}\`.`)
  if (nearest) expect(message).toContain(`Did you mean "${nearest}"?`)
  expect(message).toContain('Known here: ')
})

test('the options of the host are not touched, and settings are frozen and whole', async () => {
  const options: OtpOptions = {
    ...GOOD,
    secret: Object.freeze([SECRET]),
    site: Object.freeze({ name: 'Acme', origin: 'https://ACME.example' }),
    mail: Object.freeze(GOOD.mail),
    limits: Object.freeze({ failures: Object.freeze({ capacity: 5 }) }),
    code: Object.freeze({ digits: 7 }),
    views: Object.freeze([]),
  }
  const before = JSON.stringify(options)
  await emailOtp(Object.freeze(options)).close()
  const settings = resolveSettings(options)
  expect(JSON.stringify(options)).toBe(before)
  expect(Object.isFrozen(settings)).toBe(true)
  expect(Object.values(settings)).not.toContain(undefined)
  expect(settings.site).toEqual({
    name: 'Acme',
    origin: 'https://acme.example',
    domain: 'acme.example',
    supportUrl: null,
  })
})

test('defaults are those of the contract', () => {
  expect(resolveSettings(GOOD)).toMatchObject({
    path: '/2fa',
    home: '/',
    autoSend: true,
    signIn: null,
    typedEmail: null,
    codeInSubject: 'auto',
    lifetime: 600,
    attempts: 5,
    grantMaxAge: 43_200,
    viewFolders: [],
    locale: 'en',
    contentSecurityPolicy: expect.stringContaining("default-src 'none'") as string,
  })
  expect(resolveSettings(TYPED_ONLY).autoSend).toBe(false)
  expect(resolveSettings({ ...GOOD, contentSecurityPolicy: false }).contentSecurityPolicy).toBeNull()
})

describe('the memory store in production', () => {
  const before = process.env.NODE_ENV
  afterEach(() => {
    process.env.NODE_ENV = before
  })

  test('is warned of', async () => {
    process.env.NODE_ENV = 'production'
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    await emailOtp(GOOD).close()
    expect(warn.mock.calls.map(String).join()).toContain('with more processes, set `store`')
    warn.mockRestore()
  })
})
