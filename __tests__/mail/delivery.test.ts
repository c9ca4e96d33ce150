import { Clock } from '../helpers/host-app.js'
import { mailerOf, tryOnce } from '../helpers/mailer.js'
import { isSilent, ScriptedSmtp, type SmtpScript } from '../helpers/smtp-script.js'
import type { News, Post } from '../../src/delivery/queue/queued-mail.js'
import { codeLastAttemptAt } from '../../src/delivery/queue/retry-schedule.js'
import type { Mailer } from '../../src/delivery/queue/send-queue.js'
import type { Place } from '../../src/delivery/queue/slots.js'
import { localFailure } from '../../src/delivery/smtp/classify.js'
import type { MailTransporter } from '../../src/index.js'

const USED = { outcome: 'cancelled', reason: 'used' } as const

let clock: Clock
let smtp: ScriptedSmtp | null = null
let mailer: Mailer
let news: (News & { of: string })[] = []
const waiting: (() => void)[] = []
beforeEach(() => {
  clock = new Clock()
  news = []
})
afterEach(async () => {
  await smtp?.close() // first: whoever waits for it is let go
  smtp = null
  await mailer.close()
})

async function against(script: SmtpScript): Promise<void> {
  smtp = await ScriptedSmtp.listen(script)
  const short = isSilent(script) ? { socketTimeout: 2_000, greetingTimeout: 1_000 } : {}
  mailer = mailerOf({ transport: { host: '127.0.0.1', port: smtp.port, ...short } }, clock.now)
}

function letter(of: string, more: Partial<Post> = {}): Post {
  const address = `${of}@example.com`
  return {
    message: { from: 'no-reply@acme.example', to: { name: '', address }, subject: of, text: `for ${of}` },
    address,
    secrets: [],
    key: address,
    challenge: of,
    isKnown: false,
    until: codeLastAttemptAt(clock.ms, clock.ms + 600_000),
    tell: (one) => {
      news.push({ ...one, of })
      for (const wake of waiting.splice(0)) wake()
    },
    ...more,
  }
}

/** The same letter to the address of `a`. */
function sameAs({ message }: Post): Partial<Post> {
  const address = 'a@example.com'
  return { key: address, address, message: { ...message, to: { name: '', address } } }
}

function place(isKnown = false): Place {
  const reserved = mailer.reserve(isKnown)
  if ('reason' in reserved) throw new Error(reserved.reason)
  return reserved
}

function post(of: string, more: Partial<Post> = {}): void {
  place(more.isKnown).post(letter(of, more))
}

/** Waits for the fact. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => waiting.push(resolve))
}

/** How each letter ended, in the order of the endings. */
const endings = (): string[] =>
  news.filter(({ again }) => again === null).map(({ of, delivery }) => `${of} ${delivery.outcome}`)

const header = (message: string | undefined, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(message ?? '')?.[1]

describe('the queue', () => {
  test('holds 500 letters; the 501st finds no place, and none of the 500 is lost', async () => {
    await against({ greeting: 'hang' })
    for (let i = 0; i < 500; i++) post(`p${i}`)
    expect(mailer.reserve(false)).toEqual({ reason: 'queue_full', retryAfter: 10 })
    expect(mailer.health()).toMatchObject({ queue: 500, breaker: 'closed' })
    await smtp?.until(() => smtp?.connections === 3)
    if (smtp) smtp.script = {}
    // One for each connection that was never greeted; others may be through before the last of them is given up.
    await until(() => news.filter(({ again }) => again !== null).length === 3)
    clock.tick(3)
    await until(() => endings().length === 500)
    expect(new Set(endings())).toEqual(new Set(Array.from({ length: 500 }, (_, i) => `p${i} accepted`)))
    expect(smtp?.messages).toHaveLength(500)
    expect(mailer.health().queue).toBe(0)
  }, 60_000)

  test('a place that is taken counts before it is used, so that many who ask at once do not overfill it', async () => {
    await against({ greeting: 'hang' })
    const places = Array.from({ length: 500 }, () => place())
    expect(mailer.reserve(false)).toMatchObject({ reason: 'queue_full' })
    places[0]?.release()
    places[0]?.release() // twice is once
    place()
    expect(mailer.reserve(false)).toMatchObject({ reason: 'queue_full' })
    for (const one of places.slice(1)) one.release()
    expect(mailer.health().queue).toBe(0)
  })

  test('hands over as many at once as there are connections', async () => {
    const held: (() => void)[] = []
    const transport = {
      sendMail: ({ to }: Record<string, unknown>) =>
        new Promise((resolve) => {
          held.push(() => {
            resolve({ accepted: [to] })
          })
        }),
      options: { maxConnections: 2 },
    }
    mailer = mailerOf({ transport }, clock.now)
    for (const of of ['a', 'b', 'c', 'd', 'e']) post(of)
    const most: number[] = []
    while (endings().length < 5) {
      most.push(held.length)
      const ended = endings().length
      for (const go of held.splice(0)) go()
      await until(() => endings().length > ended)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(Math.max(...most)).toBe(2)
  })

  test('keeps places and a lane for people who are signed in, whatever addresses others may type', async () => {
    smtp = await ScriptedSmtp.listen({ rcpt: 'hang' })
    const transport = { host: '127.0.0.1', port: smtp.port }
    mailer = mailerOf({ transport }, clock.now, 2)
    for (let i = 0; i < 500; i++) post(`p${i}`)
    await smtp.until(() => smtp?.recipients.length === 2) // of three lanes
    smtp.script = {}
    for (let i = 0; i < 100; i++) post(`known${i}`, { isKnown: true })
    expect([mailer.reserve(false), mailer.reserve(true)]).toEqual(
      Array(2).fill({ reason: 'queue_full', retryAfter: 10 }),
    )
    await until(() => endings().length === 100)
    expect(endings().every((one) => /^known\d+ accepted$/.test(one))).toBe(true)
    place(true).release()
  })

  test('people who are signed in have 500 places as well, and no more', async () => {
    await against({ greeting: 'hang' })
    for (let i = 0; i < 500; i++) post(`p${i}`, { isKnown: true })
    expect(mailer.reserve(true)).toMatchObject({ reason: 'queue_full' })
  })

  test('keeps to a rate, in an even flow', async () => {
    const times: number[] = []
    const transport: MailTransporter = {
      sendMail: ({ to }) => {
        times.push(clock.ms)
        return Promise.resolve({ accepted: [to] })
      },
    }
    mailer = mailerOf({ transport, rate: 10 }, clock.now)
    for (let i = 0; i < 20; i++) post(`p${i}`)
    const start = clock.ms
    while (endings().length < 20) {
      const count = endings().length
      clock.tick(0.1)
      await until(() => endings().length > count)
    }
    expect(times).toEqual(Array.from({ length: 20 }, (_, i) => start + i * 100))
  })

  test('no more than `rate` mails a second go out, jobs among them', async () => {
    const times: number[] = []
    const sendMail = ({ to }: Record<string, unknown>): Promise<unknown> => {
      times.push(clock.ms)
      return Promise.resolve({ accepted: [(to as { address: string }).address] })
    }
    mailer = mailerOf({ transport: { sendMail }, rate: 10 }, clock.now)
    const start = clock.ms
    const ends = ['a', 'b', 'c'].map((name) => tryOnce(mailer, { to: { address: name } }, name))
    for (const count of [1, 2, 3]) {
      while (times.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
      clock.tick(0.1)
    }
    expect(await Promise.all(ends)).toEqual(Array(3).fill({ outcome: 'accepted' }))
    expect(times).toEqual([start, start + 100, start + 200])
  })

  test('"too fast" holds up all letters until the next try, and none of them is lost', async () => {
    await against({ mail: '421 4.7.28 rate limited' })
    post('a')
    await until(() => news.length === 1)
    expect(news).toMatchObject([{ of: 'a', delivery: { failureClass: 'quota' } }])
    post('b')
    post('c')
    if (smtp) smtp.script = {}
    await new Promise((resolve) => setTimeout(resolve, 600)) // long enough for two looks at the queue
    expect(smtp?.messages).toHaveLength(0)
    clock.tick(3)
    await until(() => endings().length === 3)
    expect(endings().sort()).toEqual(['a accepted', 'b accepted', 'c accepted'])
  })

  test('"too fast, come back in ten minutes" holds up the others for half a minute, and ends the one', async () => {
    await against({ mail: '421 4.7.28 rate limited, try again in 600 seconds' })
    post('a')
    await until(() => endings().length === 1)
    if (smtp) smtp.script = {}
    post('b')
    clock.tick(29)
    await new Promise((resolve) => setTimeout(resolve, 600)) // long enough for two looks at the queue
    expect(smtp?.messages).toHaveLength(0)
    clock.tick(2)
    await until(() => endings().length === 2)
    expect(endings()).toEqual(['a unavailable', 'b accepted'])
  })

  test('"too fast" that a recipient is answered with holds up nobody else', async () => {
    await against({ rcpt: '421 4.7.28 rate limited' })
    post('a')
    await until(() => news.length === 1)
    if (smtp) smtp.script = {}
    post('b')
    await until(() => endings().length === 1)
    expect(endings()).toEqual(['b accepted'])
  })

  test('a clock that is put back strands nothing', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    await until(() => news.length === 1)
    if (smtp) smtp.script = {}
    clock.tick(-3_600)
    await new Promise((resolve) => setTimeout(resolve, 600)) // long enough for two looks at the queue
    expect(endings()).toEqual([])
    clock.tick(3)
    await until(() => endings().length === 1)
    expect(endings()).toEqual(['a accepted'])
  })
})

test('a clock that is put back while nothing waits costs the next mail nothing', async () => {
  await against({})
  post('a')
  await until(() => endings().length === 1)
  clock.tick(-3_600)
  post('b')
  await until(() => endings().length === 2)
  expect(endings()).toEqual(['a accepted', 'b accepted'])
})

test('what a server says of a try under way is told, though the mail was withdrawn for an outage', async () => {
  const refusals: (() => void)[] = []
  const error = Object.assign(new Error('no'), { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550 })
  const sendMail = (): Promise<unknown> =>
    new Promise((_, reject) => {
      refusals.push(() => {
        reject(error)
      })
    })
  mailer = mailerOf({ transport: { sendMail } }, clock.now)
  post('a')
  expect(mailer.withdraw('a', localFailure('connect', 'breaker open'))).toBe(false)
  for (const refuse of refusals) refuse()
  await until(() => endings().length === 1)
  expect(news).toMatchObject([{ delivery: { failureClass: 'recipient' } }])
})

describe('another try', () => {
  test('carries the same message, with the same Message-ID, References and Date', async () => {
    await against({ end: 'close' })
    post('a', {
      message: {
        ...letter('a').message,
        messageId: '<one@acme.example>',
        references: '<two@acme.example>',
        date: new Date(0),
        text: 'code 482915',
      },
    })
    await until(() => news.length === 1)
    expect(news[0]).toMatchObject({ delivery: { failureClass: 'connect' }, attempt: 1 })
    if (smtp) smtp.script = {}
    clock.tick(3)
    await until(() => endings().length === 1)
    const [first, second, ...more] = smtp?.messages ?? []
    expect(more).toEqual([])
    for (const name of ['Message-ID', 'References', 'Date', 'Subject']) {
      expect(header(first, name)).toBeDefined()
      expect(header(second, name)).toBe(header(first, name))
    }
    expect(second).toContain('code 482915')
    expect(news[1]).toMatchObject({ delivery: { outcome: 'accepted' }, attempt: 2, again: null })
  })

  test('is made while the clock says so, and given up after that', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    for (let count = 1; count <= 6; count++) {
      await until(() => news.length === count)
      clock.ms = news[count - 1]?.again ?? clock.ms
    }
    const seconds = news.map(({ again }) => again && Math.round((again - Date.parse('2030-01-01T14:22:00Z')) / 1000))
    expect(seconds).toHaveLength(6)
    expect(seconds.at(-1)).toBeNull()
    expect(endings()).toEqual(['a unavailable'])
    expect(smtp?.recipients).toHaveLength(6)
    expect(mailer.health()).toEqual({ queue: 0, breaker: 'closed', lastError: 'greylist', retryAfter: 0 })
  })

  test('waits as long as the server asks for', async () => {
    await against({ rcpt: '451 4.7.1 greylisted, try again in 30 seconds' })
    post('a')
    await until(() => news.length === 1)
    expect(news[0]?.again).toBe(clock.ms + 31_000)
  })

  test('is not made for a code that was used meanwhile', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    await until(() => news.length === 1)
    expect(mailer.withdraw('a', USED)).toBe(true)
    expect(endings()).toEqual(['a withdrawn'])
    if (smtp) smtp.script = {}
    clock.tick(100)
    post('b')
    await until(() => endings().length === 2)
    expect(smtp?.recipients).toEqual(['a@example.com', 'b@example.com'])
    expect(mailer.withdraw('a', USED)).toBe(false)
  })

  test('is not made either when the code is used amid a try that then fails', async () => {
    await against({ end: 'hang' })
    post('a')
    await smtp?.until(() => smtp?.messages.length === 1)
    expect(mailer.withdraw('a', USED)).toBe(false)
    await until(() => endings().length === 1) // the socket falls silent for too long
    expect(news).toMatchObject([{ attempt: 1, again: null, delivery: USED }])
  })
})

describe('one address has one letter that waits', () => {
  test('a newer one of the same challenge takes its place, and goes at once', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    await until(() => news.length === 1)
    if (smtp) smtp.script = {}
    post('a', { message: { ...letter('a').message, subject: 'newer' } })
    await until(() => endings().length === 2)
    expect(endings()).toEqual(['a withdrawn', 'a accepted'])
    expect(smtp?.messages.map((message) => header(message, 'Subject'))).toEqual(['newer'])
  })

  test('a newer one of another challenge too, and the older is told as not sent', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    await until(() => news.length === 1)
    if (smtp) smtp.script = {}
    post('b', sameAs(letter('b')))
    await until(() => endings().length === 2)
    expect(endings()).toEqual(['a unavailable', 'b accepted'])
    expect(news[1]?.delivery).toMatchObject({ failureClass: 'aborted', reason: 'replaced' })
  })

  test('a newer one waits for an older one that is under way, and displaces its next try', async () => {
    await against({ end: 'hang' })
    post('a')
    await smtp?.until(() => smtp?.messages.length === 1)
    post('b', sameAs(letter('b')))
    post('c')
    await smtp?.until(() => smtp?.messages.length === 2)
    expect(smtp?.recipients).toEqual(['a@example.com', 'c@example.com'])
    if (smtp) smtp.script = {}
    await until(() => endings().some((one) => one.startsWith('b')))
    expect(endings().filter((one) => !one.startsWith('c'))).toEqual(['a unavailable', 'b accepted'])
  })
})

describe('the breaker before the server', () => {
  test('takes no letter while it is open, and says for how long; one that waits looks first', async () => {
    const gone = await ScriptedSmtp.goneUrl()
    mailer = mailerOf({ transport: gone }, clock.now)
    for (const of of ['a', 'b', 'c', 'd', 'e']) post(of)
    await until(() => news.length === 5)
    expect(mailer.health()).toEqual({ queue: 5, breaker: 'open', lastError: 'connect', retryAfter: 15 })
    clock.tick(5)
    expect(mailer.reserve(false)).toEqual({ reason: 'breaker_open', retryAfter: 10 })
    await new Promise((resolve) => setTimeout(resolve, 600)) // long enough for two looks at the queue
    expect(news).toHaveLength(5)
    clock.tick(10)
    await until(() => news.length === 6)
    expect(mailer.health()).toMatchObject({ breaker: 'open', retryAfter: 60 })
    expect(await tryOnce(mailer, {}, 'x@example.com')).toMatchObject({ reason: 'breaker open' })
  })

  test('what cannot go out in time is told as not sent, though nothing was tried', async () => {
    await against({ greeting: '554 5.7.1 blocked' })
    for (const of of ['a', 'b', 'c', 'd', 'e']) post(of)
    const late = place()
    await until(() => news.length === 5)
    expect(endings()).toHaveLength(5) // who blocks us is not asked again
    late.post(letter('late'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(news).toHaveLength(5)
    clock.tick(481)
    // Still open? Then it is too late; else it would be the first to look.
    await until(() => endings().length === 6)
    expect(news[5]).toMatchObject({ of: 'late', attempt: 0, delivery: localFailure('connect', 'too late') })
  })
})

test('jobs of a queue of the host’s go out as many at once as there are connections, and waiting is no part of a try', async () => {
  let [now_, most] = [0, 0]
  const transport: MailTransporter = {
    sendMail: async ({ to }) => {
      most = Math.max(most, ++now_)
      await new Promise((resolve) => setImmediate(resolve))
      now_ -= 1
      return { accepted: [to] }
    },
  }
  mailer = mailerOf({ transport }, clock.now)
  const jobs = Array.from({ length: 50 }, (_, i) => tryOnce(mailer, { to: `p${i}@example.com` }, `p${i}@example.com`))
  expect(await Promise.all(jobs)).toEqual(Array(50).fill({ outcome: 'accepted' }))
  expect(most).toBe(3)
})

test('those that wait when everything closes are told so', async () => {
  mailer = mailerOf({ transport: { sendMail: () => new Promise(() => undefined) } }, clock.now)
  const jobs = Array.from({ length: 9 }, (_, i) => tryOnce(mailer, {}, `p${i}@example.com`))
  await mailer.close()
  expect(await Promise.all(jobs)).toMatchObject(Array(9).fill({ outcome: 'unavailable', reason: 'closed' }))
}, 20_000)

function itself(): Error {
  const error: Error & { rejectedErrors?: unknown } = new Error('again')
  error.rejectedErrors = [Object.assign(new Error('inside'), { rejectedErrors: [error] })]
  return error
}

function riddle(): Error {
  const read = (): never => {
    throw new Error('no')
  }
  return Object.defineProperty(new Error('riddle'), 'code', { get: read })
}

test.each([
  ['is a riddle', riddle()],
  ['contains itself', itself()],
])('an error that %s ends the letter like any other', async (_how, error) => {
  mailer = mailerOf({ transport: { sendMail: () => Promise.reject(error) } }, clock.now)
  post('a')
  await until(() => news.length === 1)
  expect(news[0]?.delivery).toMatchObject({ failureClass: 'unknown' })
})

describe('closing', () => {
  test('"too fast" amid it does not cost the others their last try', async () => {
    await against({ mail: '421 4.7.28 rate limited' })
    for (const of of ['a', 'b', 'c', 'd', 'e', 'f']) post(of)
    await mailer.close()
    expect(news.map(({ attempt }) => attempt)).toEqual(Array(6).fill(1))
  })

  test('takes no more letters and lets those under way finish', async () => {
    await against({})
    for (let i = 0; i < 20; i++) post(`p${i}`)
    const late = place()
    const closed = mailer.close()
    expect(mailer.reserve(false)).toMatchObject({ reason: 'closed' })
    late.post(letter('late'))
    await closed
    expect(endings().filter((one) => one.endsWith(' accepted'))).toHaveLength(20)
    expect(endings()).toContain('late unavailable')
    expect(await tryOnce(mailer, {}, 'x@example.com')).toMatchObject({ reason: 'closed' })
  })

  test('gives a letter that waits for its next try a last one', async () => {
    await against({ rcpt: '450 4.2.1 busy' })
    post('a')
    post('b')
    await until(() => news.length === 2)
    if (smtp) smtp.script = {}
    await mailer.close()
    expect(endings().sort()).toEqual(['a accepted', 'b accepted'])
  })

  test('does not wait for a breaker', async () => {
    mailer = mailerOf({ transport: await ScriptedSmtp.goneUrl() }, clock.now)
    for (const of of ['a', 'b', 'c', 'd', 'e']) post(of)
    await until(() => news.length === 5)
    await mailer.close()
    expect(endings()).toHaveLength(5)
  })

  test('is forced after ten seconds: the letter is told as not sent, and only once', async () => {
    await against({ end: 'trickle' })
    post('a')
    await smtp?.until(() => smtp?.messages.length === 1)
    await mailer.close()
    expect(endings()).toEqual(['a unavailable'])
    await smtp?.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(news).toHaveLength(1)
  }, 30_000)
})
