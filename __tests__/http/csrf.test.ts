import { randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import fc from 'fast-check'
import { cookieOf } from '../helpers/guessing.js'
import { ANA, HostApp, NAVIGATE, sealedIn, submitCode } from '../helpers/host-app.js'
import { isCrossSite, refererPath } from '../../src/http/request/csrf.js'
import { isSitePath, isUnder, toSitePath } from '../../src/url.js'

const SITE = 'https://acme.example'
const NO_ORIGIN = { name: 'Acme', origin: null, domain: null, supportUrl: null }

describe('W1: who may POST', () => {
  const APP = 'https://app.acme.example'
  const fetchSites = ['same-origin', 'none', 'same-site', 'cross-site', 'nonsense', '', undefined]
  const origins = [
    SITE,
    APP,
    'http://acme.example',
    'https://evil.example',
    'https://acme.example.evil.example',
    'null',
  ]
  const odd = ['', `${APP}, ${SITE}`, `${APP}/`, 'https://APP.acme.example', 'http://evil.example', undefined]
  const hosts = [
    'acme.example',
    'ACME.example',
    'acme.example:443',
    'acme.example:80',
    'evil.example',
    'evil.example:80',
  ]
  const trusts = [[SITE], [SITE, APP], [APP], []]

  /** The rule in other words: a trusted Origin passes; else Sec-Fetch-Site; else Origin is this host; else it is no browser. */
  function allowed(fetchSite: string | undefined, origin: string | undefined, hostName: string, trusted: string[]) {
    if (trusted.some((one) => one === origin)) return true
    if (fetchSite !== undefined) return ['same-origin', 'none'].includes(fetchSite)
    if (origin === undefined) return true
    const [name = '', port] = hostName.toLowerCase().split(':')
    return (
      (origin === `https://${name}` && port !== '80' && origin !== '') ||
      (origin === `http://${name}` && port !== '443')
    )
  }

  const matrix = fetchSites.flatMap((fetchSite) =>
    [...origins, ...odd].flatMap((origin) =>
      [...hosts, '127.0.0.1:3000'].flatMap((hostName) =>
        trusts.map((trusted) => ({ fetchSite, origin, hostName, trusted })),
      ),
    ),
  )

  test('W1: the whole matrix of Sec-Fetch-Site, Origin, Host, site.origin and trustedOrigins follows the rule', () => {
    expect(matrix).toHaveLength(7 * 12 * 7 * 4)
    const answers = matrix.map(({ fetchSite, origin, hostName, trusted }) => {
      const headers: IncomingHttpHeaders = {
        host: hostName,
        ...(fetchSite !== undefined && { 'sec-fetch-site': fetchSite }),
        ...(origin !== undefined && { origin }),
      }
      const passes = !isCrossSite(headers, { trustedOrigins: trusted })
      return { ...{ fetchSite, origin, hostName, trusted }, passes }
    })
    const expected = matrix.map((one) => ({
      ...one,
      passes: allowed(one.fetchSite, one.origin, one.hostName, one.trusted),
    }))
    expect(answers).toEqual(expected)
    expect(answers.some(({ passes }) => passes)).toBe(true)
    expect(answers.some(({ passes }) => !passes)).toBe(true)
  })

  test.each([
    ['http://intranet.example', 'intranet.example:80', true],
    ['https://intranet.example', 'intranet.example:443', true],
    ['http://intranet.example:8080', 'intranet.example:8080', true],
    ['http://[::1]', '[::1]:80', true],
    ['https://intranet.example', 'intranet.example:80', false],
    ['http://intranet.example', 'intranet.example:443', false],
    ['http://intranet.example:8080', 'intranet.example', false],
    ['http://intranet.example', 'intranet.example:8080', false],
    ['http://intranet.example', 'intranet.example:80:80', false],
    ['http://intranet.example', undefined, false],
  ])('W1: without Fetch Metadata, Origin %s is of the Host %s: %p', (origin, hostName, is) => {
    const headers = { origin, ...(hostName !== undefined && { host: hostName }) }
    expect(isCrossSite(headers, { trustedOrigins: [] })).toBe(!is)
  })

  describe('over HTTP', () => {
    let host: HostApp
    afterEach(() => host.close())

    test.each([
      ['another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
      ['a sibling domain', { 'Sec-Fetch-Site': 'same-site' }, 403],
      ['another site that names its Origin', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, 403],
      ['a sibling that nobody trusts', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://x.acme.example' }, 403],
      ['a sandboxed frame of ours', { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' }, 403],
      ['the site, when this is an API at another origin', { 'Sec-Fetch-Site': 'cross-site', Origin: SITE }, 200],
      ['a trusted origin', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://app.acme.example' }, 200],
      ['a trusted origin, by an older browser', { Origin: 'https://app.acme.example' }, 200],
      ['an older browser on another site', { Origin: 'https://evil.example' }, 403],
      ['a sandboxed frame', { Origin: 'null' }, 403],
      ['an Origin that is no URL', { Origin: 'acme.example' }, 403],
      ['another scheme than http', { Origin: 'ftp://acme.example' }, 403],
      ['our page', { 'Sec-Fetch-Site': 'same-origin', Origin: SITE }, 200],
      ['a bookmark', { 'Sec-Fetch-Site': 'none' }, 200],
      ['an older browser on our page', { Origin: SITE }, 200],
      ['no browser', {}, 200],
    ])('W1: a POST of %s', async (_who, headers: Record<string, string>, status) => {
      host = await HostApp.start({ otp: { trustedOrigins: ['https://app.acme.example'] } })
      const jar = await host.signedIn()
      for (const route of ['send', 'verify', 'restart']) {
        const answer = await jar.post(`/2fa/${route}`).set(headers).send({})
        if (status === 403) {
          expect(answer.status).toBe(403)
          expect(answer.body).toMatchObject({ code: 'cross_site' })
        } else expect(answer.status).not.toBe(403)
      }
      expect(host.mailbox.received).toHaveLength(status === 200 ? 1 : 0)
      const refused = host.events.filter(({ type }) => type === 'refused')
      expect(refused).toHaveLength(status === 200 ? 0 : 3)
    })

    test('W1: an older browser is also let in on the host name that it asked', async () => {
      host = await HostApp.start({ otp: { site: { name: 'Acme' } } })
      const jar = await host.signedIn()
      await jar.post('/2fa/send').set('Origin', host.origin).send({}).expect(200)
      await jar.post('/2fa/send').set('Origin', 'http://127.0.0.1:1').send({}).expect(403)
    })

    test('W1: a person gets a page and not JSON, and a body is not even read', async () => {
      host = await HostApp.start()
      const jar = await host.signedIn()
      const page = await jar
        .post('/2fa/send')
        .set({ ...NAVIGATE, 'Sec-Fetch-Site': 'cross-site' })
        .type('form')
        .send('x='.padEnd(9_000, 'y'))
        .expect(403)
      expect(page.text).toContain('That came from another site')
    })
  })
})

describe('W2: return pages', () => {
  const hostile = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/ok\\..\\..',
    'https://evil.example',
    'https:evil.example',
    'http://evil.example/a',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '@evil.example',
    '.evil.example',
    '',
    '?',
    '#',
    '*',
    '/a b',
    '/a\u0000b',
    '/a\u007fb',
    '/ünïcode',
    '/\u2028',
    '/a\r\nLocation: https://evil.example',
    `/${'a'.repeat(3_500)}`,
    'file:///etc/passwd',
  ]

  test('W2: thirty hostile forms are no path of this site', () => {
    expect(hostile).toHaveLength(30)
    expect(hostile.filter(isSitePath)).toEqual([])
  })

  test.each(['/', '/a', '/a/b?c=d#e', '/a//b', '/%2F%2Fevil.example', '/:80', '/@evil', `/${'a'.repeat(3_499)}`])(
    'W2: %s is one',
    (path) => {
      expect(isSitePath(path)).toBe(true)
    },
  )

  const encoded = { '/ok\\..\\..': '/ok%5C..%5C..', '/ünïcode': '/%C3%BCn%C3%AFcode', '/\u2028': '/%E2%80%A8' }

  test('W2: three of them are made one, percent-encoded; the others are refused', () => {
    const made = hostile.flatMap((text) => {
      const path = toSitePath(text)
      return path === null ? [] : [[text, path]]
    })
    expect(Object.fromEntries(made)).toEqual(encoded)
  })

  test.each<[string, 'utf8' | 'latin1', string]>([
    ['/a"b\\c?d="e"', 'utf8', '/a%22b%5Cc?d=%22e%22'],
    ['/日本?q=é#ü', 'utf8', '/%E6%97%A5%E6%9C%AC?q=%C3%A9#%C3%BC'],
    ['/already%20encoded/%5c%E6', 'utf8', '/already%20encoded/%5c%E6'],
    [Buffer.from('/日本').toString('latin1'), 'latin1', '/%E6%97%A5%E6%9C%AC'],
    ['/\xff', 'latin1', '/%FF'],
  ])('W2: %s (%s) becomes %s', (text, encoding, path) => {
    expect(toSitePath(text, encoding)).toBe(path)
  })

  test('W2: whatever is made a path, a browser stays on this site, and a header holds it', () => {
    const parts = [
      '/',
      '\\',
      '"',
      "'",
      '.',
      '..',
      '@',
      ':',
      '?',
      '#',
      '%',
      'evil.example',
      '\t',
      '\n',
      '\0',
      ' ',
      'ü',
      '／',
      '＼',
    ]
    const texts = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: 'binary', maxLength: 3 })))
    fc.assert(
      fc.property(texts, fc.constantFrom('utf8', 'latin1'), (text, encoding) => {
        const path = toSitePath(`/${text.join('')}`, encoding)
        if (path === null) return
        expect(path).toMatch(/^\/(?!\/)[\x21\x23-\x5b\x5d-\x7e]*$/)
        expect(new URL(path, SITE).origin).toBe(SITE)
        expect(toSitePath(path)).toBe(path)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['/2fa', true],
    ['/2FA', true],
    ['/2fa/', true],
    ['/2fa?for=x', true],
    ['/2fa#x', true],
    ['/2fa/send', true],
    ['/./2fa/continue', true],
    ['/%2e/2fa', true],
    ['/x/%2E%2e/2fa', true],
    ['/2fab', false],
    ['/2fa/../x', false],
    ['/a/2fa', false],
    ['/', false],
  ])('W2: %s lies under /2fa: %p', (path, is) => {
    expect(isUnder(path, '/2fa')).toBe(is)
  })

  describe('over HTTP', () => {
    let host: HostApp
    afterEach(() => host.close())

    const referers = [
      'https://evil.example/transfer',
      'https://acme.example.evil.example/transfer',
      'https://acme.example@evil.example/transfer',
      'https://acme.example:444/transfer',
      'http://acme.example/transfer',
      'https://acme.example//evil.example',
      'https://acme.example/\\evil.example',
      'https://acme.example/\\/evil.example',
      'https://acme.example/2fa',
      'https://acme.example/2FA/verify',
      `https://acme.example/${'a'.repeat(3_500)}`,
      '//acme.example/transfer',
      '/transfer',
      'acme.example/transfer',
      'about:blank',
      'javascript:alert(1)',
      'null',
      '',
    ]

    test.each(referers)('W2: after a POST with the Referer %s the return page is home', async (referer) => {
      host = await HostApp.start({ otp: { home: '/home' } })
      const jar = await host.signedIn()
      const shut = await jar.post('/transfer').set('Referer', referer).send({ amount: '5', payee: 'ben' }).expect(401)
      const sealed = shut.body.for as string
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      const done = await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
      expect(done.body.return_to).toBe('/home')
    })

    test('W2: the Referer of our own page leads back to it, path and query only', async () => {
      host = await HostApp.start({ otp: { home: '/home' } })
      const jar = await host.signedIn()
      const referer = 'https://user:pass@acme.example/pay?to=ben#form'
      const shut = await jar.post('/transfer').set('Referer', referer).send({ amount: '5', payee: 'ben' }).expect(401)
      const sealed = shut.body.for as string
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      const done = await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
      expect(done.body.return_to).toBe('/pay?to=ben')
      expect(refererPath({ referer, host: 'acme.example' }, { site: NO_ORIGIN, basePath: '' })).toBe('/pay?to=ben')
      expect(refererPath({ referer, host: 'acme.example:443' }, { site: NO_ORIGIN, basePath: '' })).toBe('/pay?to=ben')
    })

    test('W2: the Referer of a trusted origin gives no return page', async () => {
      host = await HostApp.start({ otp: { home: '/home', trustedOrigins: ['https://app.acme.example'] } })
      const jar = await host.signedIn()
      const post = jar
        .post('/transfer')
        .set({ Referer: 'https://app.acme.example/pay', Origin: 'https://app.acme.example' })
      const sealed = ((await post.send({ amount: '5', payee: 'ben' }).expect(401)).body as { for: string }).for
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      const done = await jar.post('/2fa/verify').send({ for: sealed, code: host.mailbox.code }).expect(200)
      expect(done.body.return_to).toBe('/home')
    })

    test.each([
      '//evil.example',
      '/\\evil.example',
      '//evil.example/%2e%2e',
      '///evil.example',
      '/a b',
      '/a\tb',
      `/${'ü'.repeat(1_200)}`,
      '/2fa/x',
      '/2FA',
    ])('W2: the return page of a guarded request for %s is home', async (target) => {
      host = await HostApp.start({
        otp: { home: '/home' },
        before: (app) =>
          void app.use((req, _res, next) => {
            // A client that writes its own request line gets such a target through; supertest would tidy it.
            const raw = req.headers['x-target']
            if (typeof raw === 'string') req.originalUrl = raw
            next()
          }),
      })
      const jar = await host.signedIn()
      const led = await jar.get('/secret').set(NAVIGATE).set('X-Target', target).expect(303)
      const page = led.get('Location') ?? ''
      expect(page).toMatch(/^\/2fa\?for=[\w-]+$/)
      const sealed = sealedIn((await jar.get(page).set(NAVIGATE).expect(200)).text)
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      const form = { for: sealed, code: host.mailbox.code }
      expect(await submitCode(jar, form)).toBe('/home')
    })

    /** Opens `/secret` with this query as it is, and gives the redirect and where it leads after the verification. */
    async function verifiedAt(query: string): Promise<{ length: number; to: string }> {
      host = await HostApp.start({ otp: { home: '/home' } })
      const jar = host.jar()
      const cookie = cookieOf(await jar.post('/login').send({ user: ANA }).expect(200))
      const led = await new Promise<string>((resolve, reject) => {
        const options = { path: `/secret${query}`, headers: { ...NAVIGATE, Cookie: cookie } }
        const sent = request(host.origin, options, (answer) => {
          resolve(answer.resume().headers.location ?? '')
        })
        sent.on('error', reject).end()
      })
      const sealed = sealedIn((await jar.get(led).set(NAVIGATE).expect(200)).text)
      await jar.post('/2fa/send').send({ for: sealed }).expect(200)
      const form = { for: sealed, code: host.mailbox.code }
      return { length: led.length - '/2fa?for='.length, to: await submitCode(jar, form) }
    }

    test('W2: a guarded URL with quotes and backslashes is the return page, percent-encoded', async () => {
      expect((await verifiedAt('?q="a\\b"')).to).toBe('/secret?q=%22a%5Cb%22')
    })

    test('W2: a long URL is the return page: the sealed step-up fits into a header', async () => {
      const request = encodeURIComponent(randomBytes(1_700).toString('base64'))
      const query = `?SAMLRequest=${request}&RelayState=${'0123456789'.repeat(60)}`
      expect(query.length).toBeGreaterThan(2_900)
      const { length, to } = await verifiedAt(query)
      expect(to).toBe(`/secret${query}`)
      expect(length).toBeLessThanOrEqual(3_500)
    })

    test.each([
      ['cannot be sealed in 3 500 characters', randomBytes(2_550).toString('base64url')],
      ['is longer than 3 500 itself', 'x'.repeat(3_500)],
    ])('W2: a URL that %s is left behind: it goes to home', async (_what, query) => {
      const { length, to } = await verifiedAt(`?q=${query}`)
      expect(to).toBe('/home')
      expect(length).toBeLessThan(500)
    })

    test('W2: the verified page has a link to home, which is / by default', async () => {
      for (const [home, link] of [
        [undefined, '/'],
        ['/start?x=1', '/start?x&#x3D;1'],
      ] as const) {
        host = await HostApp.start({ otp: home === undefined ? {} : { home } })
        const { jar, code } = await host.asked()
        expect((await jar.post('/2fa/verify').send({ code }).expect(200)).body.return_to).toBe(home ?? '/')
        expect((await jar.get('/2fa').set(NAVIGATE).expect(200)).text).toContain(`class="otp-button" href="${link}"`)
        if (home === undefined) await host.close()
      }
    })

    test.each(['returnTo', 'return_to', 'next', 'redirect', 'url', 'continue'])(
      'W2: the parameter %s is not read',
      async (name) => {
        host = await HostApp.start({ otp: { home: '/home' } })
        const jar = await host.signedIn()
        const query = `?${name}=/elsewhere`
        await jar
          .post(`/2fa/send${query}`)
          .send({ [name]: '/elsewhere' })
          .expect(200)
        const body = { code: host.mailbox.code, [name]: '/elsewhere' }
        const done = await jar.post(`/2fa/verify${query}`).send(body).expect(200)
        expect(done.body.return_to).toBe('/home')
      },
    )
  })
})
