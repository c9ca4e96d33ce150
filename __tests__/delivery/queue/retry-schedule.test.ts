import { attemptWindow, jobDeadline, isRetryable, nextRetryAt } from '../../../src/delivery/queue/retry-schedule.js'
import type { AlertMailRequest, CodeMailRequest } from '../../../src/mail/mail-request.js'
import { classifyFailure, type Failure, localFailure } from '../../../src/delivery/smtp/classify.js'

const START = Date.parse('2030-01-01T00:00:00Z')
const at = (seconds: number): number => START + seconds * 1000
const AFTER = localFailure('connect', 'x')

/** The next attempt after so many. */
const retry = (failure: Failure, attempts: number, now: number, until = at(305)): number | null =>
  nextRetryAt(failure, { attempts, firstAttemptAt: START }, until, now)
const codeExpiring = (seconds: number) =>
  ({ type: 'code', challenge: { expires: at(seconds) } }) as unknown as CodeMailRequest
const retryUntil = (seconds: number): number => attemptWindow(codeExpiring(seconds), START).retryUntil
const replied = (response: string, more: object = {}): Failure =>
  classifyFailure({ code: 'EENVELOPE', responseCode: Number(response.slice(0, 3)), response, ...more })

describe('when a mail is tried again', () => {
  test('at 2, 8, 30, 90 and 240 seconds after the first try, a quarter sooner or later', () => {
    const seconds = [2, 8, 30, 90, 240]
    const seen = seconds.map(() => new Set<number>())
    for (let round = 0; round < 400; round++) {
      let now = START
      for (const [i, second] of seconds.entries()) {
        const next = retry(AFTER, i + 1, now)
        if (next === null) throw new Error('it was given up')
        expect(next).toBeGreaterThanOrEqual(at(second * 0.75))
        expect(next).toBeLessThanOrEqual(at(second * 1.25))
        seen[i]?.add(next)
        now = at(second * 1.25)
      }
      expect(retry(AFTER, 6, now)).toBeNull()
    }
    for (const times of seen) expect(times.size).toBeGreaterThan(100) // spread out, not all at once
  })

  test('an attempt that took long skips the times that have passed', () => {
    const next = retry(AFTER, 1, at(15)) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(22.5))
    expect(next).toBeLessThanOrEqual(at(37.5))
  })

  test('for five minutes at most, and not in the last two of the code', () => {
    expect(retryUntil(600)).toBe(at(305))
    expect(retryUntil(300)).toBe(at(180))
    expect(retryUntil(60)).toBeLessThan(START)
    expect(retry(AFTER, 1, START, retryUntil(60))).toBeNull()
    expect(retry(AFTER, 5, at(120), at(179))).toBeNull() // the fifth is due at 180 s at the soonest
    expect(retry(AFTER, 5, at(120), at(300))).not.toBeNull() // and at 300 s at the latest
  })

  test.each<[string, number | null]>([
    ['451 4.7.1 Greylisted, try again in 30 seconds', 31],
    ['450 4.2.0 come back in 00:01:30', 91],
    ['451 please retry after 2 minutes', 121],
    ['450 4.7.1 Greylisted for 5 minutes', 301],
    ['451 try again in 10 minutes', null],
    ['451 try again in 24 hours', null],
  ])('%s: as the server asks', (response, seconds) => {
    const next = retry(replied(response), 1, START)
    expect(next).toBe(seconds === null ? null : at(seconds))
  })

  test('an alert, which is of use for an hour, is tried every four minutes to the end of it', () => {
    const { retryUntil: until } = attemptWindow({ type: 'alert', at: START } as unknown as AlertMailRequest, at(100))
    expect(until).toBe(at(3_600))
    const next = retry(AFTER, 9, at(1_000), until) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(1_180))
    expect(next).toBeLessThanOrEqual(at(1_300))
    expect(retry(AFTER, 9, at(3_500), until)).toBeNull()
  })

  test('a server that asks for less than the schedule changes nothing', () => {
    const next = retry(replied('451 try again in 5 seconds'), 3, at(12)) ?? 0
    expect(next).toBeGreaterThanOrEqual(at(22.5))
  })

  test('the first attempt may come as late as the last one, and at least ten seconds after the mail was queued', () => {
    expect(attemptWindow(codeExpiring(600), START).firstAttemptUntil).toBe(at(305))
    expect(attemptWindow(codeExpiring(60), START).firstAttemptUntil).toBe(at(10))
  })

  test('a job may be tried until two minutes before its code expires, and at least ten seconds after it was enqueued', () => {
    expect(jobDeadline(codeExpiring(600), START)).toBe(at(480))
    expect(jobDeadline(codeExpiring(60), START)).toBe(at(10))
  })
})

describe('whether it is', () => {
  test.each<[string, Failure, 'never' | 'once' | 'often']>([
    ['it took too long', classifyFailure({ code: 'EABORT' }), 'never'],
    ['the transport is misconfigured', classifyFailure({ code: 'ECONFIG' }), 'never'],
    ['no TLS', replied('502 no', { code: 'ETLS', command: 'STARTTLS' }), 'never'],
    ['no TLS at the moment', replied('454 4.7.0 later', { code: 'ETLS', command: 'STARTTLS' }), 'often'],
    ['a bad certificate', classifyFailure({ code: 'ESOCKET', message: 'self-signed certificate' }), 'never'],
    ['a wrong password', replied('535 5.7.8 bad', { code: 'EAUTH' }), 'never'],
    ['a password that could not be checked', replied('454 4.7.0 later', { code: 'EAUTH' }), 'often'],
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
    expect(retry(failure, 1, START) !== null).toBe(again !== 'never')
    expect(retry(failure, 2, at(3)) !== null).toBe(again === 'often')
  })
})
