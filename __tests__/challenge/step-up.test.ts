import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { hashDetails } from '../../src/challenge/details.js'
import { PLAIN_ACCESS, sealStepUp, type StepUp, unsealStepUp } from '../../src/challenge/step-up.js'
import { type KeyRing, keyRing } from '../../src/crypto/keys.js'
import { seal as sealBytes } from '../../src/crypto/seal.js'
import { OtpError } from '../../src/errors.js'
import type { IdentityRef } from '../../src/identity/user.js'

const [OLD, NEW, OTHER] = ['old', 'new', 'other'].map((name) => `${name}-secret-of-at-least-32-characters!`)
const ring = keyRing([OLD ?? ''])
const HOUR = 3_600_000
const NOW = Date.parse('2030-01-01T14:22:00Z')
const ANA: IdentityRef = { type: 'user', id: 'the id of Ana', email: 'ana@example.com', version: '1' }
const TRANSFER: StepUp = {
  purpose: 'transfer',
  details: hashDetails({ amount: '50.00', payee: 'Ana' }),
  description: 'Send 50.00 EUR to Ana',
  returnTo: '/transfer',
  maxAge: 300,
}
const seal = (stepUp = TRANSFER, identity: IdentityRef | null = ANA): string =>
  sealStepUp(ring.current, stepUp, identity, NOW)
const open = (sealed: string, identity: IdentityRef | null = ANA, now = NOW) => openWith(ring, sealed, identity, now)

/** The step-up, if this person may use it now. */
function openWith(keys: KeyRing, sealed: string, identity: IdentityRef | null, now: number): StepUp | null {
  const found = unsealStepUp(keys, sealed, now)
  return found && !found.isExpired && found.isFor(identity) ? found.stepUp : null
}

const identities: fc.Arbitrary<IdentityRef> = fc.record({
  type: fc.constantFrom('user', 'address'),
  id: fc.string(),
  email: fc.emailAddress(),
  version: fc.string(),
})
const stepUps: fc.Arbitrary<StepUp> = fc.record({
  purpose: fc.string({ unit: 'binary' }),
  details: fc.option(fc.string()),
  description: fc.option(fc.string({ unit: 'grapheme' })),
  returnTo: fc.option(fc.webPath()),
  maxAge: fc.option(fc.integer({ min: 1 })),
})

describe('B4: a sealed step-up', () => {
  test('opens as what was sealed, for the same person, for one hour', () => {
    fc.assert(
      fc.property(stepUps, fc.option(identities), fc.integer({ min: 0, max: HOUR }), (stepUp, identity, later) => {
        const wellFormed = JSON.parse(JSON.stringify(stepUp)) as StepUp
        expect(open(seal(wellFormed, identity), identity, NOW + later)).toEqual(wellFormed)
      }),
    )
  })

  test('is expired after one hour, and still says whose it is', () => {
    expect(open(seal(), ANA, NOW + HOUR)).toEqual(TRANSFER)
    const old = unsealStepUp(ring, seal(), NOW + HOUR + 1)
    expect(old).toMatchObject({ isExpired: true, stepUp: TRANSFER })
    expect([old?.isFor(ANA), old?.isFor(null)]).toEqual([true, false])
  })

  test('counts as none when any one bit of it is flipped', () => {
    const bytes = Buffer.from(seal(), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(open(altered.toString('base64url'))).toBeNull()
    }
    expect(open(bytes.toString('base64url'))).toEqual(TRANSFER)
  })

  test('W2: a long one is deflated and opens as what was sealed; a bit flipped in it makes it none', () => {
    const long = { ...TRANSFER, returnTo: `/sso?${'SAMLRequest=0123456789'.repeat(150)}` }
    const sealed = seal(long)
    expect(sealed.length).toBeLessThan(600)
    expect(open(sealed)).toEqual(long)
    const bytes = Buffer.from(sealed, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const altered = Buffer.from(bytes)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(open(altered.toString('base64url'))).toBeNull()
    }
  })

  test('W2: what inflates to more than any step-up takes is not inflated', () => {
    const bomb = Buffer.concat([Buffer.of(0), deflateRawSync(Buffer.alloc(100_000_000, '{'))])
    expect(() => open(sealBytes(ring.current.seal, bomb))).toThrow(/larger than 16384 bytes/)
  })

  test('counts as none when it is cut short, lengthened, or anything else', () => {
    const sealed = seal()
    for (let length = 0; length < sealed.length; length++) expect(open(sealed.slice(0, length))).toBeNull()
    expect(open(`${sealed}AAAA`)).toBeNull()
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(open(text)).toBeNull()
      }),
    )
  })

  test('counts as none for anybody else, and for the same person with another address or version', () => {
    fc.assert(
      fc.property(identities, identities, (one, two) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(two))
        expect(open(seal(TRANSFER, one), two)).toBeNull()
      }),
    )
    const changes: Partial<IdentityRef>[] = [
      { type: 'address' },
      { id: 'u2' },
      { email: 'a@example.com' },
      { version: '2' },
    ]
    for (const change of changes) expect(open(seal(), { ...ANA, ...change })).toBeNull()
    expect(open(seal(), null)).toBeNull()
    expect(open(seal(TRANSFER, null), ANA)).toBeNull()
  })

  test('C4: still opens after the secret was rotated, and no longer once the old secret is gone', () => {
    const sealed = seal()
    const rotated = keyRing([NEW ?? '', OLD ?? ''])
    expect(openWith(rotated, sealed, ANA, NOW)).toEqual(TRANSFER)
    expect(unsealStepUp(keyRing([NEW ?? '', OTHER ?? '']), sealed, NOW)).toBeNull()
    const fresh = sealStepUp(rotated.current, TRANSFER, ANA, NOW)
    expect(unsealStepUp(ring, fresh, NOW)).toBeNull()
  })

  test('shows nothing of what it holds, and never looks the same twice', () => {
    const [one, two] = [seal(), seal()]
    expect(one).not.toBe(two)
    expect(one).toMatch(/^[\w-]+$/)
    const bytes = Buffer.from(one, 'base64url').toString('latin1')
    for (const word of ['transfer', 'EUR to Ana', '50.00', 'the id of Ana', 'example'])
      expect(bytes).not.toContain(word)
  })

  test('a step-up that nobody asked for is plain access', () => {
    expect(PLAIN_ACCESS).toEqual({
      purpose: 'access',
      details: null,
      description: null,
      returnTo: null,
      maxAge: null,
    })
  })
})

/** Values that JSON represents exactly; -0 becomes 0. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

/** The same value with the keys of each object in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  // defineProperty, since assigning to __proto__ would make no member
  const copy = {}
  for (const [name, member] of Object.entries(value).reverse())
    Object.defineProperty(copy, name, { value: turned(member), enumerable: true })
  return copy
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? byName(Object.entries(member)) : member,
  )
}

/** Without a look at the values: by its default sort() makes texts of them, which a member `toString` forbids. */
function byName(members: [string, unknown][]): [string, unknown][] {
  return members.sort(([one], [other]) => (one < other ? -1 : 1))
}

describe('the fingerprint of details', () => {
  test('is the same whatever the order of the keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(hashDetails(turned(value))).toBe(hashDetails(value))
      }),
    )
    expect(hashDetails({ a: 1, b: { c: 2, d: [3] } })).toBe(hashDetails({ b: { d: [3], c: 2 }, a: 1 }))
  })

  test('is another for any other value', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        fc.pre(sorted(a) !== sorted(b))
        expect(hashDetails(a)).not.toBe(hashDetails(b))
      }),
    )
    const alike = [
      null,
      'null',
      false,
      'false',
      0,
      '0',
      1,
      '1',
      '',
      [],
      {},
      [[]],
      [null],
      { a: null },
      [1, 2],
      [12],
      ['1', 2],
    ]
    const more = [
      ['1,2'],
      { a: { b: 1 } },
      { 'a.b': 1 },
      { a: '{"b":1}' },
      { a: 1, b: 2 },
      { a: '1","b":2' },
      { b: 1, a: 2 },
    ]
    const prints = [...alike, ...more].map(hashDetails)
    expect(new Set(prints).size).toBe(prints.length)
  })

  test('50, 50.0 and 5e1 are one number, "50" and "50.0" are two texts', () => {
    expect(hashDetails(JSON.parse('[50.0, 5e1]'))).toBe(hashDetails([50, 50]))
    expect(hashDetails('50')).not.toBe(hashDetails('50.0'))
  })

  test('takes a member that is undefined for one that is absent, as JSON does', () => {
    expect(hashDetails({ a: 1, b: undefined })).toBe(hashDetails({ a: 1 }))
  })

  test('sees a member by the name __proto__', () => {
    const own = JSON.parse('{"__proto__":{"amount":1}}') as unknown
    expect(hashDetails(own)).not.toBe(hashDetails({}))
    expect(hashDetails(Object.create(null))).toBe(hashDetails({}))
  })

  /** Which error it throws, as code and message. */
  const refusal = (value: unknown): unknown[] => {
    try {
      return [hashDetails(value)]
    } catch (error) {
      return error instanceof OtpError ? [error.code, error.message] : [error]
    }
  }
  const hole = Array<number>(1)
  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'details must be a JSON value, not undefined'],
    ['NaN', { amount: NaN }, 'details.amount must'],
    ['Infinity', { a: [1, -Infinity] }, 'details.a[1] must'],
    ['a Map', { list: new Map([['a', 1]]) }, 'details.list must be a JSON value, not Map'],
    ['a Set', [new Set([1])], 'details[0] must be a JSON value, not Set'],
    ['a Date', { on: new Date(0) }, 'details.on must be a JSON value, not Date'],
    ['a function', { f: () => 1 }, 'details.f must be a JSON value, not function'],
    ['a symbol', Symbol('s'), 'details must be a JSON value, not symbol'],
    ['a bigint', { cents: 5000n }, 'details.cents must be a JSON value, not bigint'],
    ['a Buffer', { raw: Buffer.from('a') }, 'details.raw must be a JSON value, not Buffer'],
    ['undefined in an array', [1, undefined], 'details[1] must be a JSON value, not undefined'],
    ['a hole in an array', hole, 'details[0] must be a JSON value, not undefined'],
    ['an object of a class', { a: { b: new URL('http://x') } }, 'details.a.b must be a JSON value, not URL'],
    ['an object of no known class', Object.create(Object.create(null) as object), 'details must be a JSON value'],
  ])('refuses %s and names the place', (_name, value, message) => {
    expect(refusal(value)).toEqual(['invalid_details', expect.stringContaining(message)])
  })

  test('refuses what contains itself', () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    expect(refusal(loop)).toEqual(['invalid_details', 'details are nested more than 100 deep.'])
  })

  test('takes what a form or a page nests, and refuses a tower that would break the stack', () => {
    const tower = (height: number): unknown => JSON.parse('['.repeat(height) + ']'.repeat(height))
    expect(refusal(tower(100))).toHaveLength(1)
    expect(refusal(tower(50_000))).toEqual(['invalid_details', 'details are nested more than 100 deep.'])
  })
})
