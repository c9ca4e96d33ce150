import fc from 'fast-check'
import { ReferenceBucket } from '../helpers/reference-bucket.js'
import { type Limit, refund, shortCodesDisabled, take, takeForced } from '../../src/stores/gcra.js'

const limits = fc.record({
  capacity: fc.integer({ min: 1, max: 20 }),
  refill: fc.integer({ min: 1, max: 600 }),
})
/** Milliseconds until the next call, and whether it takes or gives back. */
const calls = fc.array(
  fc.tuple(
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 3_000_000 })),
    fc.boolean(),
  ),
  { maxLength: 60 },
)
const START = 1_700_000_000_000

/** Permits that can be taken at one moment. */
function permitsAt(full: number, now: number, limit: Limit): number {
  let permits = 0
  for (let taken = take(full, now, limit); taken.allowed; taken = take(taken.fullAt, now, limit)) permits += 1
  return permits
}

test('grants and refuses as a pail of counted permits does, with the same waiting time', () => {
  fc.assert(
    fc.property(limits, calls, (limit, steps) => {
      const pail = new ReferenceBucket(limit)
      let [full, now] = [0, START]
      for (const [ms, isTake] of steps) {
        now += ms
        pail.wait(ms)
        if (isTake) {
          const taken = take(full, now, limit)
          expect(taken.allowed).toBe(pail.take())
          if (!taken.allowed) expect([taken.retryAfter, taken.fullAt]).toEqual([pail.untilNext, full])
          full = taken.fullAt
        } else {
          full = refund(full, now, limit, 1)
          pail.refund()
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('never grants more than its capacity and one for each refill time that has passed', () => {
  fc.assert(
    fc.property(limits, calls, (limit, steps) => {
      let [full, now, granted] = [0, START, 0]
      for (const [ms] of steps) {
        now += ms
        for (let burst = 0; burst < 3; burst++) {
          const taken = take(full, now, limit)
          full = taken.fullAt
          granted += Number(taken.allowed)
        }
        expect(granted).toBeLessThanOrEqual(limit.capacity + (now - START) / (limit.refill * 1000))
      }
    }),
  )
})

test('a full bucket grants exactly its capacity at once', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      expect(permitsAt(0, START, limit)).toBe(limit.capacity)
    }),
  )
})

test('giving back never fills it above its capacity, and adds no more than was given', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }), (limit, takes, given) => {
      let full = 0
      for (let i = 0; i < takes; i++) ({ fullAt: full } = take(full, START, limit))
      const before = permitsAt(full, START, limit)
      const after = permitsAt(refund(full, START, limit, given), START, limit)
      expect(after).toBe(Math.min(limit.capacity, before + given))
    }),
  )
})

test('S1: the waiting time is true to the second: refused one second earlier, granted then', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 0, max: 600_000 }), (limit, later) => {
      let full = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt: full } = take(full, START, limit))
      const now = START + (later % (limit.refill * 1000))
      const refused = take(full, now, limit)
      if (refused.allowed) throw new Error('it should be empty')
      const { retryAfter } = refused
      expect(Number.isSafeInteger(retryAfter) && retryAfter >= 1).toBe(true)
      expect(take(full, now + (retryAfter - 1) * 1000, limit).allowed).toBe(false)
      expect(take(full, now + retryAfter * 1000, limit).allowed).toBe(true)
    }),
  )
})

test('V7: short codes are void without a permit, and once it was empty until half of the capacity, rounded up, is back', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      let full = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt: full } = take(full, START, limit))
      const half = Math.ceil(limit.capacity / 2)
      const back = START + half * limit.refill * 1000
      expect(permitsAt(full, back - 1, limit)).toBe(half - 1)
      expect([shortCodesDisabled(full, back - 1, limit, true), shortCodesDisabled(full, back, limit, true)]).toEqual([
        true,
        false,
      ])
      const one = START + limit.refill * 1000
      expect([shortCodesDisabled(full, one - 1, limit, false), shortCodesDisabled(full, one, limit, false)]).toEqual([
        true,
        false,
      ])
    }),
  )
})

test('V6: limits whose permits are no whole milliseconds grant their capacity at once, neither less nor more', () => {
  const year = 31_536_000
  const odd = fc.record({ parts: fc.integer({ min: 7, max: 5_000 }), capacity: fc.integer({ min: 1, max: 20 }) })
  fc.assert(
    fc.property(odd, fc.integer({ min: 0, max: 2_000_000_000_000 }), ({ parts, capacity }, now) => {
      const limit = { capacity, refill: year / parts }
      let full = -Infinity
      for (let taken = 0; taken < capacity; taken++) {
        expect(shortCodesDisabled(full, now, limit, false)).toBe(false)
        const next = take(full, now, limit)
        expect(next.allowed).toBe(true)
        expect(next.fullAt).toBe(takeForced(full, now, limit))
        full = next.fullAt
      }
      expect(take(full, now, limit).allowed).toBe(false)
      expect(shortCodesDisabled(full, now, limit, false)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('a clock that is set back grants nothing twice', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 1, max: 3_600_000 }), (limit, back) => {
      let full = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt: full } = take(full, START, limit))
      expect(take(full, START - back, limit).allowed).toBe(false)
    }),
  )
})
