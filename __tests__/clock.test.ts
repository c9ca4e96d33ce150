import { clockFrom, monotonic, systemClock } from '../src/clock.js'
import { memoize } from '../src/memoize.js'
import { withTimeout } from '../src/timeout.js'

const never = new Promise<never>(() => undefined)

describe('monotonic', () => {
  test('counts the steps forward of a clock, and none of those back', () => {
    let wall = 1_000_000
    const passed = monotonic(() => wall)
    const moveTo = (time: number): number => {
      wall = time
      return passed()
    }
    expect([moveTo(1_000_500), moveTo(500), moveTo(600), moveTo(1_000_000)]).toEqual([500, 500, 600, 1_000_000])
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number])(
    'a clock that gives %p for a while loses that time, and goes on',
    (odd) => {
      let wall = 1_000
      const passed = monotonic(() => wall)
      wall = odd
      passed()
      wall = 1_250
      const before = passed()
      wall = 1_300
      expect(passed() - before).toBe(50)
    },
  )
})

describe('withTimeout', () => {
  test('gives the answer that comes in time', async () => {
    await expect(withTimeout(systemClock, 1_000, Promise.resolve('answer'))).resolves.toBe('answer')
  })

  test('passes a rejection on', async () => {
    await expect(withTimeout(systemClock, 1_000, Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  })

  test('rejects when real time has passed', async () => {
    await expect(withTimeout(systemClock, 20, never)).rejects.toThrow('no answer within 0.02 s')
  })

  test('rejects when a clock that is moved by hand has moved on', async () => {
    let wall = 0
    const waiting = withTimeout(
      clockFrom(() => wall),
      60_000,
      never,
    )
    wall = 60_000
    await expect(waiting).rejects.toThrow('no answer within 60 s')
  })

  test('rejects in real time too, when that clock stands still', async () => {
    await expect(
      withTimeout(
        clockFrom(() => 0),
        20,
        never,
      ),
    ).rejects.toThrow('no answer within 0.02 s')
  })
})

test('a moved clock calls back once, and never what was cancelled', async () => {
  let wall = 0
  const clock = clockFrom(() => wall)
  const calls: string[] = []
  clock.after(1_000, () => calls.push('due'))
  clock.after(1_000, () => calls.push('cancelled'))()
  clock.after(2_000, () => calls.push('later'))
  wall = 1_000
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(calls).toEqual(['due'])
  wall = 2_000
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(calls).toEqual(['due', 'later'])
})

describe('memoize', () => {
  test('makes the result of a text once, null included', () => {
    const made: string[] = []
    const read = memoize((text) => (made.push(text), text === 'bad' ? null : { text }))
    expect(read('good')).toBe(read('good'))
    expect([read('bad'), read('bad')]).toEqual([null, null])
    expect(made).toEqual(['good', 'bad'])
  })

  test('is bounded in number and in the length of texts', () => {
    const made: string[] = []
    const read = memoize((text) => made.push(text), 2)
    for (const text of ['a', 'b', 'c', 'a']) read(text)
    expect(made).toEqual(['a', 'b', 'c', 'a'])
    const long = 'x'.repeat(4_097)
    read(long)
    read(long)
    expect(made.filter((text) => text === long)).toHaveLength(2)
  })
})
