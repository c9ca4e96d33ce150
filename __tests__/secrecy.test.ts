import { createHash, createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { MemoryStore as Sessions } from 'express-session'
import request from 'supertest'
import { cookieOf, dump, guess, guessWrongly, recorded, ResponseRecorder, tally } from './helpers/guessing.js'
import {
  ANA,
  BROWSER,
  Clock,
  HostApp,
  memorySession,
  sealedIn,
  SECRET,
  submit,
  submitCode,
} from './helpers/host-app.js'
import { Mailbox, wrongCode } from './helpers/mailbox.js'
import { startTwins } from './helpers/twins.js'
import { deriveCode, DIGITS, LONG_FORMAT } from '../src/crypto/code.js'
import { keyRing } from '../src/crypto/keys.js'
import { emailOtp, MemoryStore, type OtpOptions } from '../src/index.js'

const ROOT = path.join(__dirname, '..')
const SOURCES = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(path.join(ROOT, 'src', file), 'utf8') }))

const OPTIONS: OtpOptions = {
  secret: SECRET,
  site: { name: 'Acme' },
  mail: { transport: 'smtp://127.0.0.1:2525', from: 'no-reply@acme.example' },
  user: () => null,
}

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

describe('uniform and unpredictable', () => {
  // The upper 0.1 % of the chi-square distribution, by degrees of freedom.
  const CRITICAL = { 10: 27.877, 32: 61.098 } as const

  test.each([
    ['short', { alphabet: DIGITS, length: 6 }, 10],
    ['short', { alphabet: DIGITS, length: 8 }, 10],
    ['long', LONG_FORMAT, 32],
  ] as const)('C1: 200 000 %s codes of %j are uniform in every position, leading zeros kept', (kind, format, size) => {
    const keys = keyRing([SECRET]).current
    const rounds = 200_000
    const counts = Array.from({ length: format.length }, () => new Map<string, number>())
    for (let i = 0; i < rounds; i++) {
      const inputs = { challengeId: `challenge ${i}`, user: 'u1', purpose: 'access', details: null }
      const code = deriveCode(keys, inputs, kind, format)
      counts.forEach((seen, at) => seen.set(code.charAt(at), (seen.get(code.charAt(at)) ?? 0) + 1))
    }
    for (const seen of counts) {
      expect([...seen.keys()].sort().join('')).toBe(Array.from(format.alphabet).sort().join(''))
      const expected = rounds / size
      const chiSquare = [...seen.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
      expect(chiSquare).toBeLessThan(CRITICAL[size])
    }
    // Five standard deviations either side of one in `size`.
    const share = (counts[0]?.get('0') ?? 0) / rounds
    const spread = 5 * Math.sqrt(((1 / size) * (1 - 1 / size)) / rounds)
    expect(Math.abs(share - 1 / size)).toBeLessThan(spread)
  })

  test('C1: no source file draws from Math.random', () => {
    expect(SOURCES.length).toBeGreaterThan(20)
    expect(SOURCES.filter(({ text }) => /Math\s*(\.|\?\.|\[\s*['"`])\s*random/.test(text))).toEqual([])
  })

  test('C1: the same challenge gives another code for another secret, user, purpose or details', () => {
    const inputs = { challengeId: 'c', user: 'u1', purpose: 'access', details: null }
    const format = { alphabet: DIGITS, length: 18 }
    const [one, two] = keyRing([SECRET, `${SECRET}!`]).all
    if (!one || !two) throw new Error('two secrets make two sets of keys')
    const codes = [
      deriveCode(one, inputs, 'short', format),
      deriveCode(two, inputs, 'short', format),
      deriveCode(one, { ...inputs, challengeId: 'd' }, 'short', format),
      deriveCode(one, { ...inputs, user: 'u2' }, 'short', format),
      deriveCode(one, { ...inputs, purpose: 'transfer' }, 'short', format),
      deriveCode(one, { ...inputs, details: 'd' }, 'short', format),
      deriveCode(one, { ...inputs, user: 'u1","access' }, 'short', format),
    ]
    expect(new Set(codes).size).toBe(codes.length)
  })
})

describe('long enough', () => {
  test.each([
    ['5 digits', { digits: 5 }, /0\.083 % chance a year/],
    ['4 of 26 letters', { alphabet: 'abcdefghijklmnopqrstuvwxyz', length: 4 }, /0\.018 % chance a year/],
    ['19 of 2 digits', { alphabet: '01', length: 19 }, /0\.016 % chance a year/],
  ])('C2: %s are refused, with the yearly chance in the text', (_name, code, chance) => {
    expect(() => emailOtp({ ...OPTIONS, code })).toThrow(chance)
  })

  test.each<[string, Partial<OtpOptions>, RegExp]>([
    ['a signed-in user', {}, /^\d{6}$/],
    ['a typed address alone', { user: undefined as never, typedEmail: true }, /^\d{8}$/],
    ['a signed-in user of an app that takes typed addresses', { typedEmail: true }, /^\d{6}$/],
    ['a typed address of an app that has users', { user: () => null, typedEmail: true }, /^\d{8}$/],
    ['a typed address by an option', { user: () => null, typedEmail: true, code: { digits: 7 } }, /^\d{7}$/],
  ])('C2: the code for %s has its digits', async (_name, otp, shape) => {
    await start({ otp })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
    await host.mailbox.mails(1)
    expect(host.mailbox.code).toMatch(shape)
  })
})

describe('never stored', () => {
  test('I4: a store gets no id and no address, neither of a signed-in user nor of a typed address', async () => {
    const log: unknown[] = []
    const memory = new MemoryStore()
    others.push(memory)
    await start({ otp: { store: recorded(memory, log), typedEmail: true, user: (req) => req.session.user ?? null } })
    const { jar, code } = await host.asked({ id: 'user-4711', email: 'ana@example.com' })
    await guess(jar, code).expect(200)
    const anonymous = host.jar()
    await anonymous.post('/2fa/send').send({ email: 'ben@example.com' }).expect(200)
    expect(log.length).toBeGreaterThanOrEqual(4)
    expect(dump(log) + dump(memory)).not.toMatch(/@example|user-4711|127\.0\.0\.1/)
  })

  test('C3: neither the store nor the session ever holds the code, nor a hash that anybody could make', async () => {
    const log: unknown[] = []
    const sessions = new Sessions()
    const clock = new Clock()
    const memory = new MemoryStore({ now: clock.now })
    others.push(memory)
    const seen: string[] = []
    await start({
      otp: { store: recorded(memory, log), now: clock.now },
      session: memorySession({ store: sessions }),
    })
    const snapshot = () => seen.push(dump(sessions), dump(memory))

    const { jar, code } = await host.asked()
    snapshot()
    await guess(jar, wrongCode(code)).expect(422)
    clock.tick(31)
    await jar.post('/2fa/send').send({}).expect(200)
    snapshot()
    await guess(jar, code).expect(200)
    snapshot()

    const everything = seen.join('\n') + dump(log)
    expect(log.length).toBeGreaterThanOrEqual(8)
    expect(everything).toContain('emailOtp:/2fa')
    expect(everything).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`))

    // The first eight bytes of every string in there, as base64url and as hex.
    const stored = new Set<string>()
    const head = (bytes: Buffer) => bytes.toString('latin1', 0, 8)
    const keep = (text: string) => {
      for (const encoding of ['base64url', 'hex'] as const) {
        const bytes = Buffer.from(text, encoding)
        if (bytes.length >= 8) stored.add(head(bytes))
      }
    }
    for (const text of everything.match(/[\w+/=-]{11,}/g) ?? []) keep(text)
    const planted = wrongCode(code)
    keep(createHash('sha256').update(planted).digest('base64url'))
    const hashes = ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512']
    const isStored = (guessed: string) =>
      hashes.some((hash) =>
        [createHash(hash), createHmac(hash, '')].some((made) => stored.has(head(made.update(guessed).digest()))),
      )
    // The planted one shows that this search finds what is there.
    expect([code, planted].filter(isStored)).toEqual([planted])
    const matches: string[] = []
    for (let n = 0; n < 1_000_000; n++) {
      const one = String(n).padStart(6, '0')
      const made = [createHash('sha256'), createHmac('sha256', '')].map((hash) => head(hash.update(one).digest()))
      if (made.some((digest) => stored.has(digest))) matches.push(one)
    }
    expect(matches).toEqual([planted])
  }, 120_000)
})

describe('secrets', () => {
  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['31 characters', 'x'.repeat(31)],
    ['a number', 1234567890],
    ['an empty list', []],
    ['a list with a short one', [SECRET, 'short']],
    ['a list with a gap', [SECRET, undefined]],
    ['a buffer', Buffer.alloc(32)],
  ])('C4: a secret that is %s stops the start, and the error does not repeat it', (_name, secret) => {
    const attempt = () => emailOtp({ ...OPTIONS, secret: secret as string })
    expect(attempt).toThrow(/option `secret` is (missing|not usable)\..*at least/)
    expect(attempt).not.toThrow(/short|xxx|12345/)
  })

  test('C4: after rotation [B, A] codes and step-ups of A still work; [B] alone ends them', async () => {
    const shared = { sessions: new Sessions(), memory: new MemoryStore() }
    others.push(shared.memory)
    const make = (secret: OtpOptions['secret']) =>
      start({
        otp: { secret, store: shared.memory, now: Date.now },
        session: memorySession({ store: shared.sessions }),
      })
    const [A, B] = [SECRET, 'another-secret-for-tests-of-32-characters']
    const before = await make(A)
    const rotated = await make([B, A])
    const forgotten = await make(B)

    const login = await request(before.origin).post('/login').send({ user: ANA })
    const cookie = cookieOf(login)
    const shut = await request(before.origin).get('/secret').set('Cookie', cookie).expect(401)
    const sealed = (shut.body as { for: string }).for
    await request(before.origin).post('/2fa/send').set('Cookie', cookie).send({ for: sealed }).expect(200)
    const attempt = { for: sealed, code: before.mailbox.code }

    const lost = await request(forgotten.origin).post('/2fa/verify').set('Cookie', cookie).send(attempt)
    expect(lost.body).toMatchObject({ status: 409, code: 'step_up_expired' })
    const state = await request(forgotten.origin).get('/2fa').query({ for: sealed }).set('Cookie', cookie)
    expect(state.text).not.toContain(sealed)
    const done = await request(rotated.origin).post('/2fa/verify').set('Cookie', cookie).send(attempt)
    expect(done.body).toEqual({ verified: true, purpose: 'access', return_to: '/secret' })
  })
})

describe('comparing', () => {
  test('C5: the store compares in constant time', () => {
    const memory = SOURCES.find(({ file }) => file === path.join('stores', 'memory', 'memory-store.ts'))
    const code = SOURCES.find(({ file }) => file === path.join('crypto', 'code.ts'))
    expect(memory?.text).toContain('if (sameDigest(digest, challenge.digest))')
    expect(code?.text).toContain('timingSafeEqual(left, right)')
  })
})

describe('never shown', () => {
  /** The code in every form in which it might be written. */
  const spellings = (code: string): string[] => [
    code,
    `${code.slice(0, 6)}-${code.slice(6)}`,
    Array.from(code).join(' '),
    Buffer.from(code).toString('base64url'),
    Buffer.from(code).toString('hex'),
    encodeURIComponent(Array.from(code).join('-')),
  ]

  /** Records what the process prints: console, both streams, warnings. */
  function recordOutput(): { readonly text: string; stop(): void } {
    let warnings = ''
    const note = (...what: unknown[]) => (warnings += what.map(String).join(' ') + dump(what))
    const spies = [
      ...(['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) =>
        jest.spyOn(console, name).mockReturnValue(),
      ), // recorded, not printed
      jest.spyOn(process.stdout, 'write'),
      jest.spyOn(process.stderr, 'write'),
    ]
    process.on('warning', note)
    return {
      get text() {
        return warnings + dump(spies.map((spy) => spy.mock.calls as unknown))
      },
      stop() {
        process.off('warning', note)
        for (const spy of spies) spy.mockRestore()
      },
    }
  }

  interface Journey {
    readonly options: Parameters<typeof HostApp.start>[0]
    /** Text that shows that the output was recorded. */
    readonly printed?: string
    readonly walk: (jar: Awaited<ReturnType<HostApp['signedIn']>>) => Promise<string>
  }

  const TWELVE = { digits: 12 }
  const html = { ...BROWSER, 'Content-Type': 'application/x-www-form-urlencoded' }

  const happy: Journey = {
    options: { otp: { code: TWELVE } },
    async walk(jar) {
      const led = await jar.get('/secret').set(BROWSER).expect(303)
      const offer = await jar.get(led.get('Location') ?? '').set(BROWSER)
      const form = { for: sealedIn(offer.text) }
      await jar.post('/2fa/send').set(html).send(form).expect(303)
      const { code } = host.mailbox
      await jar
        .get(led.get('Location') ?? '')
        .set(BROWSER)
        .expect(200)
      await jar.get('/2fa').expect(200)
      expect(await submitCode(jar, { ...form, code })).toBe('/secret')
      await jar.get('/secret').expect(200)
      await jar.get('/2fa').set(BROWSER).expect(200)
      return code
    },
  }

  const failing: Journey = {
    options: { otp: { code: TWELVE } },
    async walk(jar) {
      await jar.post('/2fa/send').send({}).expect(200)
      const { code } = host.mailbox
      await guess(jar, '12').expect(422)
      await jar
        .post('/2fa/verify')
        .set(html)
        .send({ code: `${code}0` })
        .expect(303)
      await jar.post('/2fa/verify').set(html).send(`code[]=${code}`).expect(400)
      await jar.post('/2fa/verify').set('Sec-Fetch-Site', 'cross-site').send({ code }).expect(403)
      await jar.post('/2fa/verify').send(`{"code":"${code}"`).type('json').expect(400)
      await guessWrongly(jar, code, 5)
      await guess(jar, code).expect(429)
      await submit(jar, '/2fa/verify', { code })
      await jar.post('/2fa/restart').send({}).expect(200)
      await guess(jar, code).expect(422)
      return code
    },
  }

  const broken: Journey = {
    printed: 'the host is broken',
    options: {
      otp: {
        code: TWELVE,
        onVerified: (req) => {
          throw new Error('the host is broken', { cause: req.headers })
        },
      },
    },
    async walk(jar) {
      host.otp.events.on('issued', () => {
        throw new Error('a listener is broken')
      })
      host.otp.events.removeAllListeners('failed') // so that the failure goes to the console
      await jar.post('/2fa/send').send({}).expect(200)
      const { code } = host.mailbox
      await guess(jar, code).expect(500)
      await jar.get('/secret').expect(401)
      return code
    },
  }

  /** A mail server that repeats the whole mail in its refusal. */
  let repeated = ''
  const repeatingMailbox = () =>
    new Mailbox({
      onData(stream, _session, done) {
        let raw = ''
        stream.on('data', (bytes: Buffer) => (raw += bytes.toString()))
        stream.on('end', () => {
          repeated = raw
          const oneLine = raw.replace(/[\r\n]+/g, ' ')
          done(Object.assign(new Error(`content refused: ${oneLine}`), { responseCode: 554 }))
        })
      },
    })

  const refusedMail: Journey = {
    options: { otp: { code: TWELVE } },
    async walk(jar) {
      await jar.post('/2fa/send').send({}).expect(503)
      await submit(jar, '/2fa/send', {})
      return /^\d{12}\r?$/m.exec(repeated)?.[0].trim() ?? ''
    },
  }

  let leaked = ''
  const leakyTransport: Journey = {
    options: {
      otp: {
        code: TWELVE,
        mail: {
          from: 'no-reply@acme.example',
          transport: {
            sendMail: (message) => {
              leaked = String(message.text)
              return Promise.reject(new Error(`could not send ${JSON.stringify(message)}`, { cause: message }))
            },
          },
        },
      },
    },
    async walk(jar) {
      host.otp.events.removeAllListeners('failed')
      await jar.post('/2fa/send').send({}).expect(503)
      await jar.get('/2fa').set(BROWSER).expect(200)
      return /^\d{12}$/m.exec(leaked)?.[0] ?? ''
    },
  }

  test.each([
    ['the happy journey', happy, () => new Mailbox()],
    ['a journey of mistakes', failing, () => new Mailbox()],
    ["a journey on which the host's own functions throw", broken, () => new Mailbox()],
    ['a mail server that repeats the mail in its refusal', refusedMail, repeatingMailbox],
    ['a transport that puts the mail into its error', leakyTransport, () => new Mailbox()],
  ])('C6: on %s the code is in no answer, log line, warning or event', async (_name, journey, mailbox) => {
    const output = recordOutput()
    try {
      await start({ ...journey.options, mailbox: await mailbox().listen() })
      const recorder = await ResponseRecorder.on(host.origin)
      others.push(recorder)
      const jar = request.agent(recorder.origin)
      await jar.post('/login').send({ user: ANA }).expect(200)
      const code = await journey.walk(jar)
      await new Promise((resolve) => setImmediate(resolve)) // warnings come a turn later

      expect(code).toMatch(/^\d{12}$/)
      expect(recorder.responses).toContain('HTTP/1.1 ')
      expect(host.events.map(({ type }) => type)).toContain('issued')
      expect(output.text).toContain(journey.printed ?? '')
      const everything = recorder.responses + output.text + dump(host.events)
      for (const spelling of spellings(code)) expect(everything).not.toContain(spelling)
    } finally {
      output.stop()
    }
  })
})

describe('no back door', () => {
  const environment = process.env.NODE_ENV
  afterEach(() => {
    process.env.NODE_ENV = environment
  })

  test.each(['development', 'test', 'production'])(
    'C7: with NODE_ENV=%s no code that testers like opens anything',
    async (name) => {
      process.env.NODE_ENV = name
      await start({ otp: { attempts: 10 } })
      const { jar, code } = await host.asked()
      for (const popular of ['000000', '123456', '111111', '999999', '654321', '424242']) {
        if (popular !== code) await guess(jar, popular).expect(422)
      }
      await jar.get('/secret').expect(401)
      await guess(jar, code).expect(200)
    },
  )

  test('C7: the environment decides about warnings, reloading and explaining templates, caching assets and tools for tests and development, and nothing else', () => {
    const asking = SOURCES.flatMap(({ file, text }) =>
      text
        .split('\n')
        .filter((line) => line.includes('process.env') && !line.trimStart().startsWith('*'))
        .map(() => file),
    )
    const files = [
      'config/store.ts',
      'http/assets.ts',
      'http/misuse.ts',
      'http/response/page.ts',
      'testing/refuse-production.ts',
      'views/renderer.ts',
      'workbench/development-only.ts',
    ]
    expect([...new Set(asking)].sort()).toEqual(files.map((file) => path.normalize(file)))
    expect(SOURCES.filter(({ text }) => /['"`](?:000000|123456|111111)['"`]/.test(text))).toEqual([])
  })
})

describe('used once, for ten minutes', () => {
  test('C8: a code that was used gives no second grant, in this session and with its old cookie', async () => {
    await start({
      after: (app, otp) =>
        app.post('/forget', (req, res) => {
          otp.forget(req)
          res.json({})
        }),
    })
    const login = await request(host.origin).post('/login').send({ user: ANA })
    const old = cookieOf(login)
    const post = (cookie: string, page: string, body: object) =>
      request(host.origin).post(page).set('Cookie', cookie).send(body)
    await post(old, '/2fa/send', {}).expect(200)
    const { code } = host.mailbox
    const done = await post(old, '/2fa/verify', { code }).expect(200)
    await post(cookieOf(done), '/2fa/verify', { code }).expect(200)
    expect(host.events.filter(({ type }) => type === 'verified')).toHaveLength(1)
    await post(cookieOf(done), '/forget', {}).expect(200)
    await post(cookieOf(done), '/2fa/verify', { code }).expect(422)
    await post(old, '/2fa/verify', { code }).expect(401)
  })

  test('C8: of 100 right answers at the same time exactly one succeeds', async () => {
    await start()
    const { jar, code } = await host.asked()
    const answers = await Promise.all(Array.from({ length: 100 }, () => guess(jar, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(host.events.filter(({ type }) => type === 'verified')).toHaveLength(1)
  })

  test('C8: two apps on one store let one of two right answers in', async () => {
    const twins = await startTwins()
    others.push(twins)
    const { one, two } = twins
    for (let round = 0; round < 20; round++) {
      const user = { ...ANA, id: `u${round}` }
      const cookie = cookieOf(await request(one.origin).post('/login').send({ user }))
      await request(one.origin).post('/2fa/send').set('Cookie', cookie).send({}).expect(200)
      const { code } = one.mailbox
      const answers = await Promise.all(
        [one, two].map(({ origin }) => request(origin).post('/2fa/verify').set('Cookie', cookie).send({ code })),
      )
      expect(tally(answers).ok).toBe(1)
    }
  })

  test('C9: a code works for 599 seconds and not at 601, though it is right', async () => {
    await start()
    const first = await host.asked()
    host.clock.tick(599)
    await guess(first.jar, first.code).expect(200)

    const second = await host.asked()
    host.clock.tick(601)
    const late = await guess(second.jar, second.code).expect(422)
    expect(late.body).toMatchObject({ code: 'code_expired' })
    // It was not looked at: no attempt was counted against the user.
    expect(host.events.filter(({ type }) => type === 'rejected').at(-1)).toMatchObject({ outcome: 'not_found' })
  })

  test('C9: a resend repeats the code and does not make it live longer', async () => {
    await start()
    const { jar, code } = await host.asked()
    host.clock.tick(590)
    await jar.post('/2fa/send').send({}).expect(200)
    expect(host.mailbox.code).toBe(code)
    host.clock.tick(11)
    const late = await guess(jar, code).expect(422)
    expect(late.body).toMatchObject({ code: 'code_expired' })
  })

  test.each([601, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '600'])(
    'C9: a lifetime of %p is refused',
    (lifetime) => {
      expect(() => emailOtp({ ...OPTIONS, lifetime: lifetime as number })).toThrow(/option `lifetime`/)
    },
  )
})
