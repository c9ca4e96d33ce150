import fc from 'fast-check'
import { HostApp } from '../helpers/host-app.js'
import { maskAddress, parseAddress } from '../../src/identity/address.js'

const HOSTILE = [
  'a@x.example,b@y.example',
  'a@x.example;b@y.example',
  'a@x.example b@y.example',
  'a@x.example\tb@y.example',
  '"b@y.example x"@x.example',
  '"b@y.example"@x.example',
  '"a"@x.example',
  'b@y.example <a@x.example>',
  'a@x.example <b@y.example>',
  '<a@x.example>',
  '<a@x.example>b@y.example',
  'g: a@x.example;',
  'a@x.example\r\nBcc: b@y.example',
  'a@x.example\nb@y.example',
  'a@x.example%0d%0aBcc:b@y.example',
  'a(c)@x.example',
  'a@x.example(b@y.example)',
  'a＠y.example@x.example',
  'a＠x.example',
  'ıa@x.example',
  'ä@x.example',
  'ﬁ@x.example',
  'a@b@c.example',
  'a@x.example>',
  '@x.example:b@y.example',
  '@x.example',
  'a@',
  'a',
  'a@[127.0.0.1]',
  'a@[IPv6:::1]',
  'a@127.0.0.1',
  'a@0x7f.1',
  'a@x.example\0',
  'a\0@x.example',
  '=?utf-8?q?b=40y?=@x.example',
  'a..b@x.example',
  '.a@x.example',
  'a.@x.example',
  'a@x..example',
  'a@.example',
  'a@x.example.',
  'a@-x.example',
  'a@x-.example',
  'a@x_y.example',
  'a@x%2eexample',
  'a@x。example',
  'a@ｘ.example',
  'a@x.exa\u00admple',
  'a@x.exam\u200bple',
  'a@\u202ex.example',
  'a@x',
  'a b@x.example',
  'a\\@x.example',
  'a,b@x.example',
  'a@x.example/path',
  'a@x.example:25',
  'a@x.example?b',
  'a@xn--.example',
  'a@xn--a.example',
  '',
  '   ',
  '\u00a0',
  '\u200b',
  'ana\u200b@x.example',
  'ana@\u200bx.example',
]

describe('A1: exactly one address', () => {
  test.each(HOSTILE)('%j is refused', (text) => {
    expect(parseAddress(text)).toBeNull()
  })

  test.each([
    ['ana@example.com', 'ana@example.com', 'ana@example.com'],
    ['  ana@example.com\n', 'ana@example.com', 'ana@example.com'],
    ['\u200bana@example.com\u200b', 'ana@example.com', 'ana@example.com'],
    ['\ufeff ana@example.com \u2060\u200e', 'ana@example.com', 'ana@example.com'],
    ['\u2068ana@example.com\u2069', 'ana@example.com', 'ana@example.com'],
    ['Ana.B+x@Example.COM', 'Ana.B+x@example.com', 'ana.b+x@example.com'],
    ["o'brien@example.co.uk", "o'brien@example.co.uk", "o'brien@example.co.uk"],
    ['x@localhost', 'x@localhost', 'x@localhost'],
    ['=?@example.com', null, null],
    ['x@EXÄMPLE.com', 'x@xn--exmple-cua.com', 'x@xn--exmple-cua.com'],
    ['x@exämple.com', 'x@xn--exmple-cua.com', 'x@xn--exmple-cua.com'],
    ['x@xn--exmple-cua.com', 'x@xn--exmple-cua.com', 'x@xn--exmple-cua.com'],
    ['x@例え.テスト', 'x@xn--r8jz45g.xn--zckzah', 'x@xn--r8jz45g.xn--zckzah'],
  ])('%j is read as %j', (text, address, key) => {
    expect(parseAddress(text)).toEqual(address === null ? null : { address, key })
  })

  test('hostile forms reach no mail server: refused over HTTP, no recipient named', async () => {
    const host = await HostApp.start({ otp: { user: undefined as never, typedEmail: true } })
    try {
      for (const email of HOSTILE) {
        const refused = await host.jar().post('/2fa/send').send({ email }).expect(422)
        expect(refused.body.code).toBe('invalid_email')
      }
      for (const email of [['a@x.example'], { a: 'a@x.example' }, 1, null, true])
        expect((await host.jar().post('/2fa/send').send({ email })).status).toBe(400)
      await host.jar().post('/2fa/send').send({ email: 'ana@example.com' }).expect(200)
      const mails = await host.mailbox.mails(1)
      expect(mails.map(({ to }) => to)).toEqual([['ana@example.com']])
    } finally {
      await host.close()
    }
  })
})

describe('A2: lengths and normal forms', () => {
  const domainOf = (length: number): string => {
    const labels = `${'d'.repeat(60)}.`.repeat(5).slice(0, length - 4)
    return `${labels.replace(/\.$/, 'd')}.com`
  }

  test('a local part of 64 octets is accepted, one of 65 is not', () => {
    expect(parseAddress(`${'a'.repeat(64)}@example.com`)).not.toBeNull()
    expect(parseAddress(`${'a'.repeat(65)}@example.com`)).toBeNull()
  })

  test('a long text is refused in linear time', () => {
    const began = performance.now()
    expect(parseAddress(`a${' \u200b'.repeat(500_000)}@example.com`)).toBeNull()
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  test('an address of 254 octets is accepted, one of 255 is not', () => {
    const [fits, tooLong] = [`${'a'.repeat(50)}@${domainOf(203)}`, `${'a'.repeat(50)}@${domainOf(204)}`]
    expect([fits.length, tooLong.length]).toEqual([254, 255])
    expect(parseAddress(fits)?.address).toBe(fits)
    expect(parseAddress(tooLong)).toBeNull()
  })

  test('the length counts after the domain has become A-labels', () => {
    const short = `x@${'ä.'.repeat(35)}com`
    expect(Buffer.byteLength(short)).toBeLessThan(254)
    expect(parseAddress(short)).toBeNull()
  })

  test('text that NFKC would change is refused, not changed', () => {
    for (const text of ['x@exa\u0308mple.com', 'ﬀ@example.com', 'x@ⅷ.com', 'x@example。com', 'x@exam²ple.com'])
      expect(parseAddress(text)).toBeNull()
  })
})

const LOCAL = "abcxyzABCXYZ0189.!#$%&'*+/=?^_`{|}~-"
const plausible = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...Array.from(LOCAL)), minLength: 1, maxLength: 70 }),
    fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019.-äßжé例')), minLength: 1, maxLength: 40 }),
    fc.constantFrom('.com', '.Example', '.de', '', '.рф'),
  )
  .map(([local, domain, end]) => `${local}@${domain}${end}`)
const anything = fc.oneof(
  plausible,
  fc.emailAddress(),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.tuple(plausible, fc.string({ unit: 'binary', maxLength: 3 }), fc.nat()).map(([text, more, at]) => {
    const position = at % (text.length + 1)
    return text.slice(0, position) + more + text.slice(position)
  }),
)

test('whatever is accepted is one mailbox: one @, printable ASCII, nothing that separates or quotes', () => {
  let accepted = 0
  fc.assert(
    fc.property(anything, (text) => {
      const parsed = parseAddress(text)
      if (parsed === null) return
      accepted += 1
      expect(parsed.address).toMatch(/^[\x21-\x7e]+$/)
      expect(parsed.address.split('@')).toHaveLength(2)
      expect(parsed.address).not.toMatch(/[\s,;:<>()[\]\\"]/)
      expect(parsed.address.length).toBeLessThanOrEqual(254)
      expect(parsed.address.indexOf('@')).toBeLessThanOrEqual(64)
    }),
    { numRuns: 5_000 },
  )
  expect(accepted).toBeGreaterThan(500)
})

test('reading an address that was read changes nothing', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const parsed = parseAddress(text)
      if (parsed) expect(parseAddress(parsed.address)).toEqual(parsed)
    }),
    { numRuns: 5_000 },
  )
})

test('S2: the key is the same whatever the case and the white space around it', () => {
  fc.assert(
    fc.property(fc.emailAddress(), fc.constantFrom('', ' ', '\n', '\t ', '\u00a0'), (text, space) => {
      const parsed = parseAddress(text)
      fc.pre(parsed !== null)
      for (const form of [text.toUpperCase(), text.toLowerCase(), `${space}${text}${space}`])
        expect(parseAddress(form)?.key).toBe(parsed.key)
    }),
  )
})

test('different mailboxes have different keys', () => {
  fc.assert(
    fc.property(plausible, plausible, (a, b) => {
      const [one, two] = [parseAddress(a), parseAddress(b)]
      fc.pre(one !== null && two !== null)
      const isSame = one.address.toLowerCase() === two.address.toLowerCase()
      expect(one.key === two.key).toBe(isSame)
    }),
  )
})

test('W7: a masked address keeps its first character and its domain, and no other', () => {
  expect(maskAddress('ana.b@example.com')).toBe('a•••@example.com')
  fc.assert(
    fc.property(fc.emailAddress(), (text) => {
      const at = text.lastIndexOf('@')
      expect(maskAddress(text)).toBe(`${text.slice(0, 1)}•••${text.slice(at)}`)
    }),
  )
})
