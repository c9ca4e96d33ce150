import {
  codeLastAttemptAt,
  isPastDeadline,
  isRetryable,
  nextRetryAt,
} from '../../../src/delivery/queue/retry-schedule.js'
import { classifyFailure, type Failure, localFailure } from '../../../src/delivery/smtp/classify.js'

const START = Date.parse('2030-01-01T00:00:00Z')
const at = (seconds: number): number => START + seconds * 1000
const AFTER = localFailure('connect', 'x')

const tries = (count: number, until = at(305)) => ({ count, firstAt: START, until })
const replied = (response: string, more: object = {}): Failure =>
  classifyFailure({ code: 'EENVELOPE', responseCode: Number(response.slice(0, 3)), response, ...more })

describe('when a mail is tried again', () => {
  test('at 2, 8, 30, 90 and 240 seconds after the first try, a quarter sooner or later', () => {
    const seconds = [2, 8, 30, 90, 240]
    const seen = seconds.map(() => new Set<number>())
    for (let round = 0; round < 400; round++) {
      let now = START
      for (const [i, second] of seconds.entries()) {
        const next = nextRetryAt(AFTER, tries(i + 1), now)
        if (next === null) throw new Error('it was given up')
        expect(next).toBeGreaterThanOrEqual(at(second * 0.75))
        expect(next).toBeLessThanOrEqual(at(second * 1.25))
        seen[i]?.add(next)
        now = at(second * 1.25)
      }
      expect(nextRetryAt(AFTER, tries(6), now)).toBeNull()
    }
    for (const times of seen) expect(times.size).toBeGreaterThan(100) // spread out, not all at once
  })

  test('a try that took long uses up the times that have passed', () => {
    const next = nextRetryAt(AFTER, tries(1), at(15)) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(22.5))
    expect(next).toBeLessThanOrEqual(at(37.5))
  })

  test('for five minutes at most, and not in the last two of the code', () => {
    expect(codeLastAttemptAt(START, at(600))).toBe(at(305))
    expect(codeLastAttemptAt(START, at(300))).toBe(at(180))
    expect(codeLastAttemptAt(START, at(60))).toBeLessThan(START)
    expect(nextRetryAt(AFTER, tries(1, codeLastAttemptAt(START, at(60))), START)).toBeNull()
    expect(nextRetryAt(AFTER, tries(5, at(179)), at(120))).toBeNull() // the fifth is due at 180 s at the soonest
    expect(nextRetryAt(AFTER, tries(5, at(300)), at(120))).not.toBeNull() // and at 300 s at the latest
  })

  test.each<[string, number | null]>([
    ['451 4.7.1 Greylisted, try again in 30 seconds', 31],
    ['450 4.2.0 come back in 00:01:30', 91],
    ['451 please retry after 2 minutes', 121],
    ['450 4.7.1 Greylisted for 5 minutes', 301],
    ['451 try again in 10 minutes', null],
    ['451 try again in 24 hours', null],
  ])('%s: that wish is heeded', (response, seconds) => {
    const next = nextRetryAt(replied(response), tries(1), START)
    expect(next).toBe(seconds === null ? null : at(seconds))
  })

  test('what is of use for an hour is tried every four minutes to the end of it', () => {
    const next = nextRetryAt(AFTER, tries(9, at(3_600)), at(1_000)) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(1_180))
    expect(next).toBeLessThanOrEqual(at(1_300))
    expect(nextRetryAt(AFTER, tries(9, at(3_600)), at(3_500))).toBeNull()
  })

  test('a wish for less than the schedule changes nothing', () => {
    const next = nextRetryAt(replied('451 try again in 5 seconds'), tries(3), at(12)) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(22.5))
  })

  test('a mail that was never tried is too late when it could not be tried again; but ten seconds it may wait', () => {
    const until = codeLastAttemptAt(START, at(600))
    expect(isPastDeadline(at(305), START, until)).toBe(false)
    expect(isPastDeadline(at(306), START, until)).toBe(true)
    const short = codeLastAttemptAt(START, at(60))
    expect(isPastDeadline(at(10), START, short)).toBe(false)
    expect(isPastDeadline(at(11), START, short)).toBe(true)
    expect(isPastDeadline(at(1), null, short)).toBe(true)
  })
})

describe('whether it is', () => {
  test.each<[string, Failure, 'never' | 'once' | 'often']>([
    ['it took too long', classifyFailure({ code: 'EABORT' }), 'never'],
    ['the transport is set up wrong', classifyFailure({ code: 'ECONFIG' }), 'never'],
    ['no TLS', replied('502 no', { code: 'ETLS', command: 'STARTTLS' }), 'never'],
    ['no TLS at the moment', replied('454 4.7.0 later', { code: 'ETLS', command: 'STARTTLS' }), 'often'],
    ['a bad certificate', classifyFailure({ code: 'ESOCKET', message: 'self-signed certificate' }), 'never'],
    ['a wrong password', replied('535 5.7.8 bad', { code: 'EAUTH' }), 'never'],
    ['a password that could not be looked at', replied('454 4.7.0 later', { code: 'EAUTH' }), 'often'],
    ['too fast', replied('421 4.7.28 rate'), 'often'],
    ['too fast, in SES’ words', replied('454 Throttling failure: Maximum sending rate exceeded.'), 'often'],
    ['too many today', replied('550 5.4.5 Daily user sending limit exceeded'), 'never'],
    ['too many today, in SES’ words', replied('454 Throttling failure: Daily message quota exceeded.'), 'never'],
    ['a sender that is refused', replied('550 no', { command: 'MAIL FROM' }), 'never'],
    ['a message that is refused', replied('554 5.6.0 spam', { code: 'EMESSAGE' }), 'never'],
    ['a full mailbox', replied('552 5.2.2 full', { command: 'RCPT TO' }), 'never'],
    ['a mailbox that is full now', replied('452 4.2.2 full', { command: 'RCPT TO' }), 'often'],
    ['no such mailbox', replied('550 5.1.1 no', { command: 'RCPT TO' }), 'never'],
    ['a greylist', replied('451 4.7.1 later', { command: 'RCPT TO' }), 'often'],
    ['nobody there', classifyFailure({ code: 'ESOCKET', message: 'connect ECONNREFUSED' }), 'often'],
    ['a closed pool', classifyFailure(new Error('Connection pool was closed')), 'often'],
    ['a block', replied('554 5.7.1 blocked', { code: 'EPROTOCOL', command: 'CONN' }), 'never'],
    ['a full disk', replied('452 4.3.1 disk', { command: 'DATA' }), 'often'],
    ['something odd', replied('500 what', { command: 'DATA' }), 'once'],
  ])('%s', (_what, failure, again) => {
    expect(isRetryable(failure)).toBe(again !== 'never')
    expect(nextRetryAt(failure, tries(1), START) !== null).toBe(again !== 'never')
    expect(nextRetryAt(failure, tries(2), at(3)) !== null).toBe(again === 'often')
  })
})
