import type { Grant, OpenChallenge } from '../../src/challenge/records.js'
import { systemClock } from '../../src/clock.js'
import type { OtpRequest } from '../../src/express-types.js'
import type { IdentityRef } from '../../src/identity/user.js'
import { read, write } from '../../src/session/storage.js'

const SETTINGS = { sessionKey: 'emailOtp:/2fa', clock: systemClock, user: null }
const NOW = Date.parse('2030-01-01T14:22:00Z')
const ANA: IdentityRef = { type: 'user', id: 'u1', email: 'ana@example.com', version: '' }
const LONGEST: IdentityRef = {
  type: 'user',
  id: 'i'.repeat(255),
  email: `${'l'.repeat(64)}@${'d'.repeat(185)}.com`,
  version: 'v'.repeat(128),
}

function challenge(n: number, identity = ANA): OpenChallenge {
  return {
    ...{ id: `challenge-${n}`.padEnd(22, 'x'), secret: 'abcdefgh', kind: 'short', tag: 'KQF', locale: 'en' },
    ...{
      purpose: `purpose-${n}`,
      details: 'd'.repeat(22),
      expires: NOW + 600_000,
      sentAt: NOW - n,
      sendId: 'sendsend',
    },
    ...{ delivery: 'queued', wasMailed: false, isUsedUp: false, identity },
  }
}

function grant(n: number, identity = ANA): Grant {
  return { id: `grant-${n}`.padEnd(22, 'x'), at: NOW - n, purpose: `purpose-${n}`, details: null, identity }
}

const five = [1, 2, 3, 4, 5]
const request = (): OtpRequest & { session: Record<string, unknown> } => ({ session: {} }) as never
const sizeOf = (req: ReturnType<typeof request>): number =>
  Buffer.byteLength(JSON.stringify(req.session[SETTINGS.sessionKey]))

test('what is written is read again, field by field', () => {
  const req = request()
  const data = {
    challenges: [{ ...challenge(1), kind: 'long', delivery: 'failed', wasMailed: true, isUsedUp: true } as const],
    grants: [grant(1), { ...grant(2), details: 'e'.repeat(22) }],
  }
  write(SETTINGS, req, data)
  expect(read(SETTINGS, req)).toEqual(data)
})

test('H4: one grant and one challenge take at most 400 bytes of JSON', () => {
  const req = request()
  const plain = { purpose: 'access', details: null }
  write(SETTINGS, req, { challenges: [{ ...challenge(1), ...plain }], grants: [{ ...grant(1), ...plain }] })
  expect(sizeOf(req)).toBeLessThanOrEqual(400)
})

test('H4: an address is written once, whatever the number of records', () => {
  const req = request()
  write(SETTINGS, req, { challenges: [challenge(1), challenge(2)], grants: [grant(1), grant(2)] })
  expect(String(req.session[SETTINGS.sessionKey]).split('ana@example.com')).toHaveLength(2)
})

test.each([
  ['an ordinary identity', ANA],
  ['the longest identity', LONGEST],
])('H4: five challenges and five grants of %s take at most 1 600 bytes', (_name, identity) => {
  const req = request()
  write(SETTINGS, req, {
    challenges: five.map((n) => challenge(n, identity)),
    grants: five.map((n) => grant(n, identity)),
  })
  expect(sizeOf(req)).toBeLessThanOrEqual(1_600)
  expect(read(SETTINGS, req).challenges[0]).toEqual(challenge(1, identity))
  expect(read(SETTINGS, req).grants[0]).toEqual(grant(1, identity))
})

test('what does not fit leaves, the oldest first', () => {
  const req = request()
  write(SETTINGS, req, {
    challenges: five.map((n) => challenge(n, LONGEST)),
    grants: five.map((n) => ({ ...grant(n, LONGEST), at: NOW + 1_000 - n })),
  })
  const { challenges, grants } = read(SETTINGS, req)
  expect(grants).toHaveLength(5)
  expect(challenges).toEqual(five.map((n) => challenge(n, LONGEST)).slice(0, challenges.length))
  expect(challenges.length).toBeLessThan(5)
})

test('a clock that was put back takes no room from what is written now', () => {
  const bulky = { identity: { ...LONGEST, id: 'ж'.repeat(255) }, purpose: 'p'.repeat(64), details: 'd'.repeat(22) }
  const before = five.map((n) => ({ ...grant(n), ...bulky, purpose: `${n}`.repeat(64) }))
  const now = { ...challenge(1), ...bulky, sentAt: NOW - 30_000 }
  const req = request()
  write(SETTINGS, req, { challenges: [now], grants: before })
  expect(read(SETTINGS, req).challenges).toEqual([now])

  const verified = { ...grant(1), ...bulky, at: NOW - 30_000 }
  const open = five.map((n) => ({ ...challenge(n), ...bulky, purpose: `${n}`.repeat(64) }))
  write(SETTINGS, req, { challenges: open, grants: [verified] })
  expect(read(SETTINGS, req).grants).toEqual([verified])
})

test('a sixth challenge takes the place of the oldest', () => {
  const req = request()
  write(SETTINGS, req, { challenges: [...five, 6].map((n) => challenge(n)), grants: [] })
  expect(read(SETTINGS, req).challenges.map(({ purpose }) => purpose)).not.toContain('purpose-6')
})

test('records that are read cannot be changed: they are shared by all requests with the same session', () => {
  const req = request()
  write(SETTINGS, req, { challenges: [challenge(1)], grants: [grant(1)] })
  const { challenges, grants } = read(SETTINGS, req)
  const shared = [challenges, grants, challenges[0], grants[0], grants[0]?.identity]
  expect(shared.every((one) => Object.isFrozen(one))).toBe(true)
})
