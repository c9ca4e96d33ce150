import { ManualClock } from '../../helpers/manual-clock.js'
import { CircuitBreaker } from '../../../src/delivery/queue/circuit-breaker.js'
import { FailureScope } from '../../../src/delivery/queue/failure-scope.js'
import { classifyFailure, type Failure, localFailure, type SendResult } from '../../../src/delivery/smtp/classify.js'

const ACCEPTED: SendResult = { outcome: 'accepted' }
const GONE = localFailure('connect', 'ESOCKET')
const WRONG_PASSWORD = classifyFailure({ code: 'EAUTH', responseCode: 535, response: '535 5.7.8 bad' })
const USED_UP = classifyFailure({ command: 'MAIL FROM', responseCode: 550, response: '550 5.4.5 daily limit' })

let clock: ManualClock
let changes: string[]
let breaker: CircuitBreaker
let scope: FailureScope
beforeEach(() => {
  clock = new ManualClock()
  changes = []
  scope = new FailureScope(clock)
  breaker = new CircuitBreaker(clock, (state, failure, seconds) => {
    changes.push(`${state} ${failure?.failureClass ?? '-'} ${seconds}`)
  })
})

/** As many attempts with the same result as the breaker lets through. */
function attempt(result: SendResult, times = 1, isSignedIn = false, address = 'ana@example.com'): number {
  for (let count = 0; count < times; count++) {
    const permit = breaker.acquire()
    if (permit === null) return count
    breaker.record(permit, result, scope.isAboutAll(result, address, isSignedIn ? 'signed-in' : 'anonymous'))
  }
  return times
}

test.each(['connect', 'tls', 'blocked'] as const)('five failures of class %s in a minute open it', (kind) => {
  expect(attempt(localFailure(kind, 'x'), 4)).toBe(4)
  expect(breaker.state).toBe('closed')
  expect(attempt(localFailure(kind, 'x'), 9)).toBe(1)
  expect(breaker.state).toBe('open')
  expect(breaker.retryAfter).toBe(15)
  expect(changes).toEqual([`open ${kind} 15`])
})

test('five failures over more than a minute do not open it', async () => {
  for (let i = 0; i < 20; i++) {
    attempt(GONE)
    await clock.advance(16)
  }
  expect(breaker.state).toBe('closed')
})

test('a mail that goes out resets the count of failures', () => {
  for (let i = 0; i < 5; i++) {
    attempt(GONE, 4)
    attempt(ACCEPTED)
  }
  expect(breaker.state).toBe('closed')
})

test.each([
  'recipient',
  'mailbox-full',
  'greylist',
  'content',
  'sender',
  'transient',
  'unknown',
  'aborted',
  'config',
] as const)('any number of failures of class %s leaves it closed', (kind) => {
  expect(attempt(localFailure(kind, 'x'), 50)).toBe(50)
  expect(breaker.state).toBe('closed')
})

test('one refused password opens it, since more logins would lock the account; a password that could not be checked does not', () => {
  const later = classifyFailure({ code: 'EAUTH', responseCode: 454, response: '454 4.7.0 later' })
  expect(attempt(later, 20)).toBe(20)
  expect(attempt(WRONG_PASSWORD, 20)).toBe(1)
  expect(breaker.retryAfter).toBe(15)
})

test('one exhausted daily quota opens it for an hour', async () => {
  attempt(USED_UP)
  expect(breaker.retryAfter).toBe(3_600)
  await clock.advance(3_599)
  expect(breaker.acquire()).toBeNull()
  await clock.advance(1)
  expect(breaker.acquire()).toBe('probe')
})

test('after 15 seconds one mail is the probe, and no second one beside it', async () => {
  attempt(GONE, 5)
  await clock.advance(14)
  expect([breaker.state, breaker.retryAfter, breaker.acquire()]).toEqual(['open', 1, null])
  await clock.advance(1)
  expect([breaker.state, breaker.retryAfter]).toEqual(['half-open', 0])
  expect(breaker.acquire()).toBe('probe')
  expect(breaker.acquire()).toBeNull()
  breaker.record('probe', ACCEPTED, true)
  expect(breaker.state).toBe('closed')
  expect(breaker.acquire()).toBe('normal')
  expect(changes).toEqual(['open connect 15', 'closed - 0'])
})

test('each failed probe makes the next one later: 15 s, 60 s, 15 min, and 15 min again', async () => {
  attempt(GONE, 5)
  const waits = [breaker.retryAfter]
  for (let i = 0; i < 3; i++) {
    await clock.advance(breaker.retryAfter)
    attempt(GONE, 5)
    waits.push(breaker.retryAfter)
  }
  expect(waits).toEqual([15, 60, 900, 900])
  await clock.advance(900)
  attempt(ACCEPTED)
  attempt(GONE, 5)
  expect(breaker.retryAfter).toBe(15)
})

test.each<[string, SendResult, string]>([
  ['refuses the mailbox', localFailure('recipient', 'x'), 'closed'],
  ['defers the mail', localFailure('greylist', 'x'), 'closed'],
  ['finds us too fast', localFailure('quota', 'x'), 'closed'],
  ['takes too long', localFailure('aborted', 'x'), 'half-open'], // it may wait for the server of an address that was typed
  ['refuses the password', WRONG_PASSWORD, 'open'],
  ['says something odd', localFailure('unknown', 'x'), 'open'],
])('a probe of a server that %s leaves it %s', async (_what, delivery, state) => {
  attempt(GONE, 5)
  await clock.advance(15)
  attempt(delivery)
  expect(breaker.state).toBe(state)
})

test('attempts that began before it opened neither open it longer nor close it', () => {
  const early = [breaker.acquire(), breaker.acquire(), breaker.acquire()] as 'normal'[]
  attempt(GONE, 5)
  breaker.record(early[0] ?? 'normal', GONE, true)
  breaker.record(early[1] ?? 'normal', ACCEPTED, true)
  breaker.record(early[2] ?? 'normal', USED_UP, true)
  expect([breaker.state, breaker.retryAfter]).toEqual(['open', 15])
  expect(changes).toHaveLength(1)
})

describe('one recipient’s server', () => {
  const midSession = classifyFailure({ code: 'ETIMEDOUT', command: 'CONN', message: 'Timeout' })
  const replied = (response: string, command = 'RCPT TO'): Failure =>
    classifyFailure({ command, responseCode: Number(response.slice(0, 3)), response })

  test.each<[string, Failure]>([
    ['a timeout in mid-session', midSession],
    [
      'a disconnect in mid-session',
      classifyFailure({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' }),
    ],
    ['a reset', classifyFailure({ code: 'ESOCKET', command: 'CONN', message: 'read ECONNRESET' })],
    ['a reply that speaks of a login', replied('530 5.7.1 log in there')],
    ['a policy reply', replied('554 5.7.9 not accepted for policy reasons', 'DATA')],
    ['a limit of one mailbox', replied('554 5.2.0 STOREDRV.Deliver', 'DATA')],
    ['a limit of one mailbox at its name', replied('550 5.5.3 limit')],
    ['a daily limit of one mailbox', replied('452 4.5.3 daily limit')],
    ['a daily limit of its sender, as its server tells ours', replied('550 5.4.5 Daily user sending limit exceeded')],
  ])('%s: however often, it stops nobody else’s mail', (_what, failure) => {
    expect(attempt(failure, 50)).toBe(50)
    expect(breaker.state).toBe('closed')
  })

  test.each<[string, Failure, string]>([
    ['a list that it is on', replied('554 5.7.1 Access denied'), 'closed'],
    ['a message without recipients', replied('554 5.5.1 no valid recipients', 'DATA'), 'closed'],
    ['a timeout', midSession, 'half-open'],
  ])('after an outage, %s does not keep the breaker open', async (_what, failure, state) => {
    attempt(GONE, 5)
    await clock.advance(15)
    for (let i = 0; i < 5; i++) attempt(failure)
    expect(breaker.state).toBe(state)
    attempt(ACCEPTED)
    expect(breaker.state).toBe('closed')
  })

  test('after an outage, a timeout of a mail to a signed-in user makes the next probe later', async () => {
    attempt(GONE, 5)
    await clock.advance(15)
    attempt(midSession, 1, true)
    expect(breaker.retryAfter).toBe(60)
    await clock.advance(60)
    attempt(localFailure('aborted', 'x'), 1, true)
    expect(breaker.retryAfter).toBe(900)
  })

  test('a reset while connecting counts for everybody', () => {
    attempt(classifyFailure({ code: 'ESOCKET', command: 'CONN', message: 'connect ECONNRESET 127.0.0.1:25' }), 9)
    expect(breaker.state).toBe('open')
  })

  test('timeouts count if the mails are to signed-in users: nobody has typed their addresses', () => {
    expect(attempt(midSession, 50, true)).toBe(5)
  })

  test('any reply shows a server at work and resets the count of failures', () => {
    for (let i = 0; i < 5; i++) {
      attempt(GONE, 4)
      attempt(localFailure('recipient', 'x'))
    }
    expect(breaker.state).toBe('closed')
  })
})

test('a probe that was not made in the end leaves it to the next mail', async () => {
  attempt(GONE, 5)
  await clock.advance(15)
  expect(breaker.acquire()).toBe('probe')
  expect(breaker.delay).toBe(Infinity)
  breaker.record('probe', null, false)
  expect([breaker.state, breaker.delay, breaker.acquire()]).toEqual(['half-open', 0, 'probe'])
})

describe('H18: what a relay quotes of one recipient’s server', () => {
  const LIMITS = [
    ['550 5.4.5 Daily user sending limit exceeded', 'DATA'],
    ['454 Throttling failure: Daily message quota exceeded.', 'DATA'],
    ['550 5.4.5 Daily user sending limit exceeded', 'RCPT TO'],
    ['530 5.7.0 log in', 'RCPT TO'],
    ['550 5.4.5 Daily user sending limit exceeded', ''], // of a transport that names no command
  ] as const
  const failures = LIMITS.map(([response, command]) => {
    const failure = classifyFailure({ command, responseCode: Number(response.slice(0, 3)), response })
    return [`${response} (${command})`, failure] as const
  })
  const get = (failure: Failure, domain: string): number => attempt(failure, 1, true, `ana@${domain}`)

  test.each(failures)(
    'H18: "%s" opens the breaker when three domains get it within a minute',
    async (_what, failure) => {
      get(failure, 'a.example')
      await clock.advance(30)
      get(failure, 'b.example')
      expect(breaker.state).toBe('closed')
      await clock.advance(29)
      get(failure, 'c.example')
      expect(breaker.retryAfter).toBe(failure.isDailyQuota ? 3_600 : 15)
    },
  )

  test.each(failures)('H18: "%s" to three domains over more than a minute does not', async (_what, failure) => {
    for (const domain of ['a.example', 'b.example', 'c.example', 'd.example', 'e.example']) {
      get(failure, domain)
      await clock.advance(31)
    }
    expect(breaker.state).toBe('closed')
  })

  test('H18: subdomains, of which anybody can have many, count once', () => {
    for (let i = 0; i < 50; i++) get(failures[0]?.[1] ?? GONE, `mx${i}.evil.example`)
    expect(breaker.state).toBe('closed')
  })

  test('H18: three domains that get three different failures do not open it', () => {
    for (const [i, response] of ['550 5.4.5 daily limit', '530 5.7.0 log in', '451 4.3.0 later'].entries()) {
      get(classifyFailure({ command: 'DATA', responseCode: Number(response.slice(0, 3)), response }), `d${i}.example`)
    }
    expect(breaker.state).toBe('closed')
  })

  test('H18: a mail that goes out in between shows that there is no such limit', () => {
    const [, failure = GONE] = failures[0] ?? []
    for (const domain of ['a.example', 'b.example']) get(failure, domain)
    attempt(ACCEPTED)
    get(failure, 'c.example')
    expect(breaker.state).toBe('closed')
  })
})
