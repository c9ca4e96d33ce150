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
function permitsAt(fullAt: number, now: number, limit: Limit): number {
  let permits = 0
  for (let taken = take(fullAt, now, limit); taken.allowed; taken = take(taken.fullAt, now, limit)) permits += 1
  return permits
}

test('a bucket behaves like one that counts permits, with the same waits', () => {
  fc.assert(
    fc.property(limits, calls, (limit, steps) => {
      const reference = new ReferenceBucket(limit)
      let [fullAt, now] = [0, START]
      for (const [ms, isTake] of steps) {
        now += ms
        reference.wait(ms)
        if (isTake) {
          const taken = take(fullAt, now, limit)
          expect(taken.allowed).toBe(reference.take())
          if (!taken.allowed) expect([taken.retryAfter, taken.fullAt]).toEqual([reference.untilNext, fullAt])
          fullAt = taken.fullAt
        } else {
          fullAt = refund(fullAt, now, limit, 1)
          reference.refund()
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('never allows more than its capacity and one permit per refill interval', () => {
  fc.assert(
    fc.property(limits, calls, (limit, steps) => {
      let [fullAt, now, allowed] = [0, START, 0]
      for (const [ms] of steps) {
        now += ms
        for (let burst = 0; burst < 3; burst++) {
          const taken = take(fullAt, now, limit)
          fullAt = taken.fullAt
          allowed += Number(taken.allowed)
        }
        expect(allowed).toBeLessThanOrEqual(limit.capacity + (now - START) / (limit.refill * 1000))
      }
    }),
  )
})

test('a full bucket allows exactly its capacity at once', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      expect(permitsAt(0, START, limit)).toBe(limit.capacity)
    }),
  )
})

test('a refund never exceeds the capacity, and adds no more than was refunded', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }), (limit, takes, given) => {
      let fullAt = 0
      for (let i = 0; i < takes; i++) ({ fullAt } = take(fullAt, START, limit))
      const before = permitsAt(fullAt, START, limit)
      const after = permitsAt(refund(fullAt, START, limit, given), START, limit)
      expect(after).toBe(Math.min(limit.capacity, before + given))
    }),
  )
})

test('S1: the wait is exact to the second: refused one second earlier, allowed then', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 0, max: 600_000 }), (limit, later) => {
      let fullAt = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt } = take(fullAt, START, limit))
      const now = START + (later % (limit.refill * 1000))
      const refused = take(fullAt, now, limit)
      if (refused.allowed) throw new Error('it should be empty')
      const { retryAfter } = refused
      expect(Number.isSafeInteger(retryAfter) && retryAfter >= 1).toBe(true)
      expect(take(fullAt, now + (retryAfter - 1) * 1000, limit).allowed).toBe(false)
      expect(take(fullAt, now + retryAfter * 1000, limit).allowed).toBe(true)
    }),
  )
})

test('V7: short codes are disabled while failures is empty, and then until half of the capacity, rounded up, is back', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      let fullAt = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt } = take(fullAt, START, limit))
      const half = Math.ceil(limit.capacity / 2)
      const back = START + half * limit.refill * 1000
      expect(permitsAt(fullAt, back - 1, limit)).toBe(half - 1)
      expect([
        shortCodesDisabled(fullAt, back - 1, limit, true),
        shortCodesDisabled(fullAt, back, limit, true),
      ]).toEqual([true, false])
      const one = START + limit.refill * 1000
      expect([
        shortCodesDisabled(fullAt, one - 1, limit, false),
        shortCodesDisabled(fullAt, one, limit, false),
      ]).toEqual([true, false])
    }),
  )
})

test('V6: limits with a fractional refill interval allow exactly their capacity at once', () => {
  const year = 31_536_000
  const odd = fc.record({ parts: fc.integer({ min: 7, max: 5_000 }), capacity: fc.integer({ min: 1, max: 20 }) })
  fc.assert(
    fc.property(odd, fc.integer({ min: 0, max: 2_000_000_000_000 }), ({ parts, capacity }, now) => {
      const limit = { capacity, refill: year / parts }
      let fullAt = -Infinity
      for (let taken = 0; taken < capacity; taken++) {
        expect(shortCodesDisabled(fullAt, now, limit, false)).toBe(false)
        const next = take(fullAt, now, limit)
        expect(next.allowed).toBe(true)
        expect(next.fullAt).toBe(takeForced(fullAt, now, limit))
        fullAt = next.fullAt
      }
      expect(take(fullAt, now, limit).allowed).toBe(false)
      expect(shortCodesDisabled(fullAt, now, limit, false)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('a clock that is set back allows nothing twice', () => {
  fc.assert(
    fc.property(limits, fc.integer({ min: 1, max: 3_600_000 }), (limit, back) => {
      let fullAt = 0
      for (let i = 0; i < limit.capacity; i++) ({ fullAt } = take(fullAt, START, limit))
      expect(take(fullAt, START - back, limit).allowed).toBe(false)
    }),
  )
})
