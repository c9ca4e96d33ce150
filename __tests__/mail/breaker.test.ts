import { Clock } from '../helpers/host-app.js'
import { Breaker } from '../../src/delivery/queue/circuit-breaker.js'
import { classifyFailure, type Failure, localFailure, type SendResult } from '../../src/delivery/smtp/classify.js'

const ACCEPTED: SendResult = { outcome: 'accepted' }
const GONE = localFailure('connect', 'ESOCKET')
const WRONG_PASSWORD = classifyFailure({ code: 'EAUTH', responseCode: 535, response: '535 5.7.8 bad' })
const USED_UP = classifyFailure({ responseCode: 550, response: '550 5.4.5 daily limit' })

let clock: Clock
let told: string[]
let breaker: Breaker
beforeEach(() => {
  clock = new Clock()
  told = []
  breaker = new Breaker(clock.now, (state, failure, seconds) => {
    told.push(`${state} ${failure?.failureClass ?? '-'} ${seconds}`)
  })
})

/** As many tries with the same ending as the breaker lets through. */
function tries(delivery: SendResult, count = 1, isKnown = false): number {
  let let_ = 0
  for (let i = 0; i < count; i++) {
    const pass = breaker.admit()
    if (pass === null) break
    breaker.report(pass, delivery, isKnown)
    let_ += 1
  }
  return let_
}

test.each(['connect', 'tls', 'blocked'] as const)('five failures of class %s in a minute open it', (kind) => {
  expect(tries(localFailure(kind, 'x'), 4)).toBe(4)
  expect(breaker.state).toBe('closed')
  expect(tries(localFailure(kind, 'x'), 9)).toBe(1)
  expect(breaker.state).toBe('open')
  expect(breaker.retryAfter).toBe(15)
  expect(told).toEqual([`open ${kind} 15`])
})

test('five within more than a minute do not', () => {
  for (let i = 0; i < 20; i++) {
    tries(GONE)
    clock.tick(16)
  }
  expect(breaker.state).toBe('closed')
})

test('a mail that goes out makes the failures before it forgotten', () => {
  for (let i = 0; i < 5; i++) {
    tries(GONE, 4)
    tries(ACCEPTED)
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
  expect(tries(localFailure(kind, 'x'), 50)).toBe(50)
  expect(breaker.state).toBe('closed')
})

test('one refused password opens it, since trying on would lock the account; one that was not looked at does not', () => {
  const later = classifyFailure({ code: 'EAUTH', responseCode: 454, response: '454 4.7.0 later' })
  expect(tries(later, 20)).toBe(20)
  expect(tries(WRONG_PASSWORD, 20)).toBe(1)
  expect(breaker.retryAfter).toBe(15)
})

test('one used-up quota of the day opens it for an hour', () => {
  tries(USED_UP)
  expect(breaker.retryAfter).toBe(3_600)
  clock.tick(3_599)
  expect(breaker.admit()).toBeNull()
  clock.tick(1)
  expect(breaker.admit()).toBe('probe')
})

test('after 15 seconds one mail looks, and no second one beside it', () => {
  tries(GONE, 5)
  clock.tick(14)
  expect([breaker.state, breaker.retryAfter, breaker.admit()]).toEqual(['open', 1, null])
  clock.tick(1)
  expect([breaker.state, breaker.retryAfter]).toEqual(['half-open', 0])
  expect(breaker.admit()).toBe('probe')
  expect(breaker.admit()).toBeNull()
  breaker.report('probe', ACCEPTED, false)
  expect(breaker.state).toBe('closed')
  expect(breaker.admit()).toBe('free')
  expect(told).toEqual(['open connect 15', 'closed - 0'])
})

test('each look in vain makes the next one later: 15 s, 60 s, 15 min, and 15 min again', () => {
  tries(GONE, 5)
  const waits = [breaker.retryAfter]
  for (let i = 0; i < 3; i++) {
    clock.tick(breaker.retryAfter)
    tries(GONE, 5)
    waits.push(breaker.retryAfter)
  }
  expect(waits).toEqual([15, 60, 900, 900])
  clock.tick(900)
  tries(ACCEPTED)
  tries(GONE, 5)
  expect(breaker.retryAfter).toBe(15)
})

test.each<[string, SendResult, string]>([
  ['refuses the mailbox', localFailure('recipient', 'x'), 'closed'],
  ['wants to be asked again', localFailure('greylist', 'x'), 'closed'],
  ['finds us too quick', localFailure('quota', 'x'), 'closed'],
  ['takes too long', localFailure('aborted', 'x'), 'half-open'], // it may wait for the server of an address that was typed
  ['refuses the password', WRONG_PASSWORD, 'open'],
  ['says something odd', localFailure('unknown', 'x'), 'open'],
])('a look at a server that %s leaves it %s', (_what, delivery, state) => {
  tries(GONE, 5)
  clock.tick(15)
  tries(delivery)
  expect(breaker.state).toBe(state)
})

test('mails that set out before it opened neither open it longer nor close it', () => {
  const early = [breaker.admit(), breaker.admit(), breaker.admit()] as 'free'[]
  tries(GONE, 5)
  breaker.report(early[0] ?? 'free', GONE, true)
  breaker.report(early[1] ?? 'free', ACCEPTED, true)
  breaker.report(early[2] ?? 'free', USED_UP, true)
  expect([breaker.state, breaker.retryAfter]).toEqual(['open', 15])
  expect(told).toHaveLength(1)
})

describe('what one recipient’s server does', () => {
  const amid = classifyFailure({ code: 'ETIMEDOUT', command: 'CONN', message: 'Timeout' })
  const replied = (response: string, command = 'RCPT TO'): Failure =>
    classifyFailure({ command, responseCode: Number(response.slice(0, 3)), response })

  test.each<[string, Failure]>([
    ['silence amid a conversation', amid],
    ['hanging up amid one', classifyFailure({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' })],
    ['a reset', classifyFailure({ code: 'ESOCKET', command: 'CONN', message: 'read ECONNRESET' })],
    ['a reply that speaks of a login', replied('530 5.7.1 log in there')],
    ['a policy reply', replied('554 5.7.9 not accepted for policy reasons', 'DATA')],
    ['a limit of one mailbox', replied('554 5.2.0 STOREDRV.Deliver', 'DATA')],
    ['a limit of one mailbox at its name', replied('550 5.5.3 limit')],
    ['a daily limit of one mailbox', replied('452 4.5.3 daily limit')],
    ['a daily limit of its sender, as its server tells ours', replied('550 5.4.5 Daily user sending limit exceeded')],
  ])('%s: however often, it keeps nobody else’s mail back', (_what, failure) => {
    expect(tries(failure, 50)).toBe(50)
    expect(breaker.state).toBe('closed')
  })

  test.each<[string, Failure, string]>([
    ['a list that it is on', replied('554 5.7.1 Access denied'), 'closed'],
    ['a message without recipients', replied('554 5.5.1 no valid recipients', 'DATA'), 'closed'],
    ['silence', amid, 'half-open'],
  ])('after an outage, %s does not keep mail shut for everybody', (_what, failure, state) => {
    tries(GONE, 5)
    clock.tick(15)
    for (let i = 0; i < 5; i++) tries(failure)
    expect(breaker.state).toBe(state)
    tries(ACCEPTED)
    expect(breaker.state).toBe('closed')
  })

  test('after an outage, silence towards somebody who is signed in makes the next look later', () => {
    tries(GONE, 5)
    clock.tick(15)
    tries(amid, 1, true)
    expect(breaker.retryAfter).toBe(60)
    clock.tick(60)
    tries(localFailure('aborted', 'x'), 1, true)
    expect(breaker.retryAfter).toBe(900)
  })

  test('a connection that is refused by a reset counts for everybody', () => {
    tries(classifyFailure({ code: 'ESOCKET', command: 'CONN', message: 'connect ECONNRESET 127.0.0.1:25' }), 9)
    expect(breaker.state).toBe('open')
  })

  test('silence counts when those who wait are signed in: nobody else has typed their addresses', () => {
    expect(tries(amid, 50, true)).toBe(5)
  })

  test.each([
    ['550 5.4.5 Daily user sending limit exceeded', 'DATA'],
    ['454 Throttling failure: Daily message quota exceeded.', 'DATA'],
  ])('%s is said of the sender, wherever it is said', (response, command) => {
    tries(replied(response, command))
    expect(breaker.retryAfter).toBe(3_600)
  })

  test('an answer of any kind shows a server at work: failures of the connection before it are forgotten', () => {
    for (let i = 0; i < 5; i++) {
      tries(GONE, 4)
      tries(localFailure('recipient', 'x'))
    }
    expect(breaker.state).toBe('closed')
  })
})

test('a clock that is put back does not keep it open: the next mail looks', () => {
  tries(GONE, 5)
  clock.tick(-3_600)
  expect([breaker.state, breaker.retryAfter, breaker.admit()]).toEqual(['half-open', 0, 'probe'])
})
