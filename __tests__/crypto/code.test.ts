import fc from 'fast-check'
import {
  type CodeInputs,
  type CodeKind,
  deriveCode,
  digestCode,
  DIGITS,
  displayCode,
  keyspace,
  LONG_FORMAT,
  normaliseCode,
  sameDigest,
} from '../../src/crypto/code.js'
import { keyRing } from '../../src/crypto/keys.js'

/** The characters of a text, by code point. */
const each = (text: string): string[] => Array.from(text)

const SIX = { alphabet: DIGITS, length: 6 }
const LETTERS = { alphabet: 'bcdfghjkmnpqrstvwxz', length: 7 }
const FORMATS: readonly (readonly [CodeKind, typeof SIX])[] = [
  ['short', SIX],
  ['short', { alphabet: DIGITS, length: 8 }],
  ['short', LETTERS],
  ['short', { alphabet: 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789', length: 8 }],
  ['long', LONG_FORMAT],
]
const keys = keyRing(['a-secret-of-at-least-32-characters!!']).current
const otherKeys = keyRing(['another-secret-of-32-characters-or-so']).current
const SUBJECT: CodeInputs = { challengeId: 'c1', user: 'u1', purpose: 'transfer', details: 'd1' }

const subjects: fc.Arbitrary<CodeInputs> = fc.record({
  challengeId: fc.string({ minLength: 1 }),
  user: fc.string({ minLength: 1 }),
  purpose: fc.string({ minLength: 1 }),
  details: fc.option(fc.string()),
})
/** A kind, its format, and a code of it. */
const codes = fc.constantFrom(...FORMATS).chain(([kind, format]) =>
  fc
    .array(fc.constantFrom(...each(format.alphabet)), {
      minLength: format.length,
      maxLength: format.length,
    })
    .map((characters) => ({ kind, format, code: characters.join('') })),
)

/** A digit as people write it who use this numbering system. */
const inSystem = (system: string, digit: string): string =>
  new Intl.NumberFormat(`en-u-nu-${system}`).format(Number(digit))

const FILLING = each(
  ' \t\n\u00a0\u2009\u202f\u3000-\u2010\u2011\u2013\u2014\u2212\uff0d\u200b\u200e\u200f\u2060\u2066\u2069\ufeff',
)
/** Other ways in which one character arrives from keyboards and clipboards. */
function lookalikes(character: string, kind: CodeKind): string[] {
  const full = (c: string): string => String.fromCharCode(c.charCodeAt(0) + 0xfee0)
  const forms = [character, character.toLowerCase(), character.toUpperCase()]
  if (/\d/.test(character)) {
    const digit = Number(character)
    for (const zero of [0x660, 0x6f0, 0x966, 0xe50, 0x1d7ce, 0x1d7d8]) forms.push(String.fromCodePoint(zero + digit))
    if (kind === 'long') forms.push(...each(['oO', 'iIlL'][digit] ?? ''))
  }
  return [...forms, ...forms.filter((form) => form.charCodeAt(0) < 0x7f).map(full)]
}

describe('U2: what a person types', () => {
  test.each([
    '１２３ ４５６',
    '123-456',
    '١٢٣٤٥٦',
    '۱۲۳۴۵۶',
    '123\u00a0456',
    '\u200b123\u200b456\ufeff',
    ' 123456\n',
    '1 2 3 4 5 6',
    '123–456',
    '123−456',
    '１２３－４５６',
    '\u2066123456\u2069',
    '\u061c١٢٣ ٤٥٦',
    '१२३४५६',
    '१२३ ४५६।',
    '১২৩৪৫৬',
    '๑๒๓๔๕๖',
    '၁၂၃၄၅၆',
    '1२৩๔၅6',
    '\u{1d7cf}\u{1d7d0}\u{1d7d1}\u{1d7d2}\u{1d7d3}\u{1d7d4}', // mathematical bold
    '\u{1d7d9}\u{1d7da}\u{1d7db}\u{1d7dc}\u{1d7dd}\u{1d7de}', // mathematical double-struck
    '123456.',
    '123 456 . ',
    '123456。',
    '１２３４５６．',
    '@acme.example #123456',
    '@acme.example #123456.\n',
    ' @xn--exmple-cua.com #123456',
    '@localhost #123456',
  ])('%j is the code 123456', (typed) => {
    expect(normaliseCode(typed, 'short', SIX)).toBe('123456')
  })

  test('every decimal digit of Unicode counts by its value', () => {
    const systems = Intl.supportedValuesOf('numberingSystem')
    const rows = systems.map((system) => each('0123456789').map((digit) => inSystem(system, digit)))
    const decimal = rows.filter((row) => row.every((digit) => /^\p{Nd}$/u.test(digit)))
    expect(decimal.length).toBeGreaterThan(70)
    const read = decimal.map((row) => normaliseCode(row.join(''), 'short', { alphabet: DIGITS, length: 10 }))
    expect(new Set(read)).toEqual(new Set(['0123456789']))
  })

  test.each(['²³¹²³¹', '①②③④⑤⑥', 'ⅠⅡⅢⅣⅤⅥ', '一二三四五六', '123456..', '.123456', '@acme.example 123456', '#123456'])(
    '%j is no code',
    (typed) => {
      expect(normaliseCode(typed, 'short', SIX)).toBeNull()
    },
  )

  test('a long code too may end with a full stop or come as the bound line', () => {
    const shown = displayCode('7K2M94XVQ3HTB', 'long')
    for (const typed of [`${shown}.`, `@acme.example #${shown}`, '@acme.example #7K2M94XVQ3HTB']) {
      expect(normaliseCode(typed, 'long', LONG_FORMAT)).toBe('7K2M94XVQ3HTB')
    }
  })

  test('a code is understood however it is spaced, dashed, cased or written', () => {
    const decorated = codes.chain(({ kind, format, code }) =>
      fc
        .tuple(
          fc.tuple(...each(code).map((character) => fc.constantFrom(...lookalikes(character, kind)))),
          fc.array(fc.string({ unit: fc.constantFrom(...FILLING), maxLength: 3 }), {
            minLength: 14,
            maxLength: 14,
          }),
        )
        .map(([forms, gaps]) => ({
          ...{ kind, format, code },
          typed: forms.map((form, i) => (gaps[i] ?? '') + form).join('') + (gaps[13] ?? ''),
        })),
    )
    fc.assert(
      fc.property(decorated, ({ kind, format, code, typed }) => {
        expect(normaliseCode(typed, kind, format)).toBe(code)
      }),
      { numRuns: 500 },
    )
  })

  test('a code as it is shown is the code', () => {
    fc.assert(
      fc.property(codes, ({ kind, format, code }) => {
        expect(normaliseCode(displayCode(code, kind), kind, format)).toBe(code)
      }),
    )
  })

  test('a code that is too short or too long is none', () => {
    fc.assert(
      fc.property(codes, fc.integer({ min: 1, max: 20 }), ({ kind, format, code }, by) => {
        expect(normaliseCode(code.slice(0, -by), kind, format)).toBeNull()
        expect(normaliseCode(code + code.slice(0, 1).repeat(by), kind, format)).toBeNull()
      }),
    )
  })

  test('one foreign character, and it is none', () => {
    const foreign = each('!#*/.,_%\'"<>&=@~éßаО²½①٪\u0660\0')
    fc.assert(
      fc.property(codes, fc.constantFrom(...foreign), fc.nat(), ({ kind, format, code }, character, at) => {
        const place = at % code.length
        const typed = code.slice(0, place) + character + code.slice(place + 1)
        const isKnown = character === '\u0660' && format.alphabet.includes('0')
        fc.pre(!isKnown)
        expect(normaliseCode(typed, kind, format)).toBeNull()
      }),
      { numRuns: 500 },
    )
  })

  test('whatever is typed, the answer is a code of the format or none', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 64 }),
        fc.constantFrom(...FORMATS),
        (typed, [kind, format]) => {
          const code = normaliseCode(typed, kind, format)
          if (code === null) return
          expect(code).toHaveLength(format.length)
          expect(each(code).every((character) => format.alphabet.includes(character))).toBe(true)
        },
      ),
    )
  })

  test('O is read as 0 and I and L as 1 in long codes only', () => {
    expect(normaliseCode('oOiIl-LABC-DEFG', 'long', LONG_FORMAT)).toBe('001111ABCDEFG')
    expect(normaliseCode('O12345', 'short', SIX)).toBeNull()
    expect(normaliseCode('I23456', 'short', SIX)).toBeNull()
    expect(normaliseCode('l23456', 'short', SIX)).toBeNull()
  })

  test('letters fall into the case of the alphabet', () => {
    expect(normaliseCode('BcD-fGHj', 'short', LETTERS)).toBe('bcdfghj')
    expect(normaliseCode('abcde-fghj-kmnp', 'long', LONG_FORMAT)).toBe('ABCDEFGHJKMNP')
  })
})

describe('a derived code', () => {
  test('is the same every time', () => {
    fc.assert(
      fc.property(subjects, fc.constantFrom(...FORMATS), (subject, [kind, format]) => {
        expect(deriveCode(keys, { ...subject }, kind, format)).toBe(deriveCode(keys, subject, kind, format))
      }),
    )
  })

  test('has the length and the alphabet of its format', () => {
    fc.assert(
      fc.property(subjects, fc.constantFrom(...FORMATS), (subject, [kind, format]) => {
        const code = deriveCode(keys, subject, kind, format)
        expect(normaliseCode(code, kind, format)).toBe(code)
      }),
    )
  })

  // Compared in the long format, where two codes are equal by chance once in 2^65.
  test('and its digest are others for another challenge, user, purpose, details, or secret', () => {
    fc.assert(
      fc.property(
        subjects,
        fc.constantFrom('challengeId', 'user', 'purpose', 'details'),
        fc.string(),
        (subject, part, value) => {
          fc.pre(subject[part] !== value)
          const other = { ...subject, [part]: value }
          const code = deriveCode(keys, subject, 'long', LONG_FORMAT)
          expect(deriveCode(keys, other, 'long', LONG_FORMAT)).not.toBe(code)
          expect(deriveCode(otherKeys, subject, 'long', LONG_FORMAT)).not.toBe(code)
          expect(digestCode(keys, other, code)).not.toBe(digestCode(keys, subject, code))
          expect(digestCode(otherKeys, subject, code)).not.toBe(digestCode(keys, subject, code))
        },
      ),
    )
  })

  test('no details and empty details are two things', () => {
    const [none, empty] = [
      { ...SUBJECT, details: null },
      { ...SUBJECT, details: '' },
    ]
    expect(deriveCode(keys, none, 'long', LONG_FORMAT)).not.toBe(deriveCode(keys, empty, 'long', LONG_FORMAT))
  })

  test('parts cannot be shifted into one another', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 2 }), fc.nat(), (text, at) => {
        const cut = 1 + (at % (text.length - 1))
        const apart = { ...SUBJECT, challengeId: text.slice(0, cut), user: text.slice(cut) }
        const together = { ...SUBJECT, challengeId: text, user: '' }
        expect(deriveCode(keys, apart, 'long', LONG_FORMAT)).not.toBe(deriveCode(keys, together, 'long', LONG_FORMAT))
      }),
    )
  })

  test('is another for each kind, so the short one says nothing about the long one', () => {
    const short = deriveCode(keys, SUBJECT, 'short', LONG_FORMAT)
    expect(short).not.toBe(deriveCode(keys, SUBJECT, 'long', LONG_FORMAT))
  })

  test('digests differ for each other code', () => {
    fc.assert(
      fc.property(codes, codes, ({ code: a }, { code: b }) => {
        expect(digestCode(keys, SUBJECT, a) === digestCode(keys, SUBJECT, b)).toBe(a === b)
      }),
    )
  })
})

test('sameDigest says what === would, for any two texts', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect([sameDigest(a, b), sameDigest(a, a)]).toEqual([a === b, true])
    }),
  )
  expect(sameDigest('abc', 'abcd')).toBe(false)
  expect(sameDigest('', '')).toBe(true)
})

test('possibilities are counted exactly', () => {
  expect(keyspace(SIX)).toBe(1_000_000n)
  expect(keyspace(LONG_FORMAT)).toBe(2n ** 65n)
})
