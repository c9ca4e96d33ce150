import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { runConformance } from '../../helpers/run-conformance.js'
import { wrongCode } from '../../helpers/mailbox.js'
import { Clock, HostApp, type Agent } from '../../helpers/host-app.js'
import { MemoryStore } from '../../../src/stores/memory/memory-store.js'
import type { OpenOutcome, RedeemOutcome } from '../../../src/stores/store.js'

describe('the memory store conforms:', () => {
  const clock = new Clock()
  const wait = (seconds: number) => {
    clock.tick(seconds)
    return Promise.resolve()
  }
  runConformance(() => new MemoryStore({ now: clock.now }), wait)
})

const UNLIMITED = { capacity: 100, refill: 60 }

const DEFAULTS = { lifetime: 60, isExisting: false, isAnonymous: false }

/** A store of few entries, and the two operations that fill it. */
function smallStore(maxEntries: number) {
  const clock = new Clock()
  const store = new MemoryStore({ maxEntries, now: clock.now })
  const open = (id: string, options: Partial<typeof DEFAULTS> = {}): Promise<OpenOutcome> => {
    const { lifetime, isExisting, isAnonymous } = { ...DEFAULTS, ...options }
    const candidate = { id, short: `short ${id}`, long: `long ${id}` }
    const limits = { sends: UNLIMITED, resend: { capacity: 2, refill: 1 }, failures: UNLIMITED }
    return store.open({
      user: id,
      existing: isExisting ? candidate : null,
      fresh: candidate,
      lifetime,
      attempts: 5,
      isAnonymous,
      ...limits,
    })
  }
  const redeem = (id: string, code: string): Promise<RedeemOutcome> =>
    store.redeem({ user: id, id, kind: 'short', digest: `${code} ${id}`, failures: UNLIMITED })
  return { clock, store, open, redeem }
}

describe('a memory store that is full', () => {
  test('I3: refuses a new challenge with an error and changes no counter', async () => {
    const { open, redeem } = smallStore(3)
    for (const id of ['a', 'b', 'c']) await open(id)
    await redeem('a', 'wrong')
    await expect(open('d')).rejects.toThrow('full: 3 live entries')
    expect(await redeem('d', 'short')).toEqual({ outcome: 'not_found' })
    expect(await redeem('a', 'wrong')).toEqual({ outcome: 'mismatch', attemptsLeft: 3, escalated: false })
    for (const id of ['a', 'b', 'c']) expect(await redeem(id, 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: opens an existing challenge again', async () => {
    const { open } = smallStore(1)
    await open('a')
    await expect(open('b')).rejects.toThrow('full')
    expect(await open('a', { isExisting: true })).toMatchObject({ outcome: 'opened', repeated: true })
  })

  test('I3: has room as soon as a challenge is redeemed or expires', async () => {
    const { clock, open, redeem } = smallStore(2)
    await open('a')
    await open('b', { lifetime: 30 })
    await expect(open('c')).rejects.toThrow('full')
    await redeem('a', 'short')
    await open('c')
    await expect(open('d')).rejects.toThrow('full')
    clock.tick(30)
    expect(await open('d')).toMatchObject({ outcome: 'opened' })
    await expect(open('e')).rejects.toThrow('full')
    expect(await redeem('c', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: refuses new buckets too and evicts none', async () => {
    const { clock, store } = smallStore(1)
    const spend = (bucket: string) => store.spend({ user: 'ana', bucket, capacity: 1, refill: 60 })
    for (const bucket of ['a', 'b', 'c', 'd']) await spend(bucket)
    await expect(spend('e')).rejects.toThrow('full: 4 live entries')
    for (const bucket of ['a', 'b', 'c', 'd'])
      expect(await spend(bucket)).toEqual({ outcome: 'throttled', retryAfter: 60 })
    clock.tick(60)
    expect(await spend('e')).toEqual({ outcome: 'spent' })
  })

  test('I3: still redeems live challenges: a flood of sends leaves room to count guesses', async () => {
    const { open, store, redeem } = smallStore(1)
    await open('a')
    for (const bucket of ['x', 'y']) await store.spend({ user: 'ben', bucket, capacity: 1, refill: 60 })
    await expect(store.spend({ user: 'ben', bucket: 'z', capacity: 1, refill: 60 })).rejects.toThrow('full')
    expect(await redeem('a', 'wrong')).toMatchObject({ outcome: 'mismatch', attemptsLeft: 4 })
    expect(await redeem('a', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: compares no right code if there is no room to count wrong ones', async () => {
    const { clock, open, store, redeem } = smallStore(1)
    const lasting = { capacity: 10, refill: 3_600 }
    for (const id of ['a', 'b', 'c', 'd']) {
      await open(id)
      const wrong = { user: id, id, kind: 'short', digest: 'wrong', failures: lasting } as const
      expect((await store.redeem(wrong)).outcome).toBe('mismatch')
      clock.tick(60)
    }
    await open('e')
    for (const code of ['wrong', 'short']) await expect(redeem('e', code)).rejects.toThrow('full: 4 live entries')
    clock.tick(3_600)
    await open('e')
    expect(await redeem('e', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: takes no bucket for a challenge that has room for only one of its two', async () => {
    const { open, store } = smallStore(1)
    for (const bucket of ['x', 'y', 'z']) await store.spend({ user: 'ben', bucket, capacity: 1, refill: 60 })
    await expect(open('a')).rejects.toThrow('full')
    expect(await store.spend({ user: 'ben', bucket: 'w', capacity: 1, refill: 60 })).toEqual({
      outcome: 'spent',
    })
  })

  test('I3: the next user gets 503 and no mail, the first one can go on', async () => {
    const host = await HostApp.start({ otp: { store: new MemoryStore({ maxEntries: 3 }) } })
    try {
      const jars: { jar: Agent; code: string }[] = []
      for (const n of [1, 2, 3]) jars.push(await host.asked({ id: `u${n}`, email: `u${n}@example.com` }))
      const late = await host.signedIn({ id: 'u4', email: 'u4@example.com' })
      const refused = await late.post('/2fa/send').send({}).expect(503)
      expect(refused.body).toMatchObject({ code: 'store_unavailable' })
      expect(host.mailbox.received).toHaveLength(3)
      await late.get('/secret').expect(401)
      const [first] = jars
      await first?.jar.post('/2fa/verify').send({ code: first.code }).expect(200)
      await late.post('/2fa/send').send({}).expect(200)
    } finally {
      await host.close()
    }
  })

  test('has a valid number of entries or is not created', () => {
    for (const maxEntries of [0, -1, 1.5, NaN, Infinity, '10' as unknown as number])
      expect(() => new MemoryStore({ maxEntries })).toThrow('MemoryStore: maxEntries must be a whole number from 1')
  })
})

describe('strangers who fill a memory store', () => {
  const FULL = 'full for anonymous users'

  test('I3: get errors once four fifths of the challenges are taken, and signed-in users get the rest', async () => {
    const { clock, open, redeem } = smallStore(10)
    for (let i = 0; i < 8; i++) expect((await open(`${i}`, { isAnonymous: true })).outcome).toBe('opened')
    for (let i = 8; i < 99; i++) await expect(open(`${i}`, { isAnonymous: true })).rejects.toThrow(`${FULL}: 8 live`)
    for (const id of ['ana', 'ben']) expect((await open(id)).outcome).toBe('opened')
    await expect(open('late')).rejects.toThrow('full: 10 live entries')
    expect(await open('0', { isAnonymous: true, isExisting: true })).toMatchObject({ repeated: true })
    for (const id of ['0', '7', 'ana', 'ben']) expect(await redeem(id, 'short')).toEqual({ outcome: 'redeemed' })
    clock.tick(60)
    expect((await open('99', { isAnonymous: true })).outcome).toBe('opened')
  })

  test('I3: get errors once four fifths of the buckets are taken, signed-in users get the rest, and none is evicted', async () => {
    const { open, store } = smallStore(5)
    const limit = { bucket: 'mails', capacity: 1, refill: 3_600 }
    const networks = Array.from({ length: 16 }, (_, i) => ({ ...limit, user: `network ${i}`, isAnonymous: true }))
    for (const network of networks.slice(0, 15)) expect(await store.spend(network)).toEqual({ outcome: 'spent' })
    await expect(open('two buckets', { isAnonymous: true })).rejects.toThrow(`${FULL}: 16 live entries`)
    expect(await store.spend({ ...limit, user: 'network 15', isAnonymous: true })).toEqual({ outcome: 'spent' })
    await expect(store.spend({ ...limit, user: 'network 16', isAnonymous: true })).rejects.toThrow(FULL)
    for (const id of ['ana', 'ben']) expect((await open(id)).outcome).toBe('opened')
    await expect(store.spend({ ...limit, user: 'late' })).rejects.toThrow('full: 20 live entries')
    for (const network of networks)
      expect(await store.spend(network)).toEqual({ outcome: 'throttled', retryAfter: 3_600 })
  })

  test('I3: are not compared once four fifths of the room to count wrong codes are taken, and signed-in users are', async () => {
    const { clock, open, store } = smallStore(5)
    const redeem = (id: string, code: string, isAnonymous: boolean): Promise<RedeemOutcome> => {
      const failures = { capacity: 10, refill: 3_600 }
      return store.redeem({ user: id, id, kind: 'short', digest: `${code} ${id}`, failures, isAnonymous })
    }
    for (let i = 0; i < 16; i++) {
      await open(`${i}`, { isAnonymous: true })
      expect(await redeem(`${i}`, 'wrong', true)).toMatchObject({ attemptsLeft: 4 })
      clock.tick(60)
    }
    for (const id of ['16', 'ana']) await open(id)
    for (const code of ['wrong', 'short']) await expect(redeem('16', code, true)).rejects.toThrow(`${FULL}: 16 live`)
    expect(await redeem('ana', 'wrong', false)).toMatchObject({ attemptsLeft: 4 })
    expect(await redeem('ana', 'short', false)).toEqual({ outcome: 'redeemed' })
    expect(await redeem('16', 'wrong', false)).toMatchObject({ attemptsLeft: 4 })
  })

  test('I3: leave one entry of two to others, however small the store is', async () => {
    const { open } = smallStore(2)
    await open('a', { isAnonymous: true })
    await expect(open('b', { isAnonymous: true })).rejects.toThrow(`${FULL}: 1 live entries`)
    expect((await open('ana')).outcome).toBe('opened')
  })
})

test('V2 and V6: with any refill interval as many codes are compared as failures holds', async () => {
  for (let parts = 60; parts <= 73; parts++) {
    const limit = { capacity: 3, refill: 31_536_000 / parts }
    const store = new MemoryStore()
    const ids = Array.from({ length: 5 }, (_, i) => `${i}`)
    const limits = { sends: UNLIMITED, resend: UNLIMITED, failures: limit }
    for (const id of ids) {
      const fresh = { id, short: 'short', long: 'long' }
      await store.open({ user: 'ana', existing: null, fresh, lifetime: 600, attempts: 5, ...limits })
    }
    const guesses = ids.flatMap((id) => Array.from({ length: 5 }, () => id))
    const outcomes = await Promise.all(
      guesses.map((id) => store.redeem({ user: 'ana', id, kind: 'short', digest: 'wrong', failures: limit })),
    )
    expect(outcomes.filter(({ outcome }) => outcome === 'mismatch')).toHaveLength(3)
    await store.close()
  }
})

test('I5: users with ids such as __proto__ are ordinary users', async () => {
  const host = await HostApp.start()
  try {
    for (const id of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const { jar, code } = await host.asked({ id, email: `${id.replaceAll('_', 'x')}@example.com` })
      const wrong = await jar.post('/2fa/verify').send({ code: wrongCode(code) })
      expect([wrong.status, wrong.body.attempts_left]).toEqual([422, 4])
      await jar.get('/secret').expect(401)
      await jar.post('/2fa/verify').send({ code }).expect(200)
      await jar.get('/secret').expect(200)
    }
    await (await host.signedIn()).get('/secret').expect(401)
  } finally {
    await host.close()
  }
})

describe('a clock that is set', () => {
  const limits = { sends: UNLIMITED, resend: { capacity: 1, refill: 30 }, failures: UNLIMITED }
  const candidate = { id: 'a', short: 'short', long: 'long' }
  const opening = { user: 'ana', fresh: candidate, lifetime: 600, attempts: 5, ...limits }
  const right = { user: 'ana', id: 'a', kind: 'short', digest: 'short', failures: UNLIMITED } as const

  test('back an hour does not extend the lifetime of a code', async () => {
    for (const [seconds, outcome] of [
      [599, 'redeemed'],
      [601, 'not_found'],
    ] as const) {
      const clock = new Clock()
      const store = new MemoryStore({ now: clock.now })
      await store.open({ ...opening, existing: null })
      clock.tick(300)
      await store.redeem({ ...right, digest: 'wrong' })
      clock.tick(-3_600)
      await store.redeem({ ...right, digest: 'wrong' })
      clock.tick(seconds - 300)
      expect(await store.redeem(right)).toMatchObject({ outcome })
      await store.close()
    }
  })

  test('back an hour does not lengthen the wait before a resend', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    await store.open({ ...opening, existing: null })
    clock.tick(-3_600)
    const again = { ...opening, existing: candidate, fresh: { ...candidate, id: 'b' } }
    expect(await store.open(again)).toEqual({ outcome: 'throttled', bucket: 'resend', retryAfter: 30 })
    clock.tick(30)
    expect(await store.open(again)).toMatchObject({ outcome: 'opened', repeated: true, expiresIn: 570 })
    await store.close()
  })

  test('forward an hour ends a code, and refills what an hour refills', async () => {
    const clock = new Clock()
    const store = new MemoryStore({ now: clock.now })
    const hourly = { user: 'ana', bucket: 'mails', capacity: 1, refill: 3_600 }
    await store.open({ ...opening, existing: null })
    await store.spend(hourly)
    clock.tick(3_600)
    expect(await store.redeem(right)).toEqual({ outcome: 'not_found' })
    expect(await store.spend(hourly)).toEqual({ outcome: 'spent' })
    await store.close()
  })

  test('has no effect by default: the store uses the monotonic clock', async () => {
    const wallClock = jest.spyOn(Date, 'now')
    try {
      const store = new MemoryStore()
      await store.open({ ...opening, existing: null })
      wallClock.mockReturnValue(0)
      expect(await store.redeem({ ...right, digest: 'wrong' })).toMatchObject({ outcome: 'mismatch' })
      wallClock.mockReturnValue(4e12)
      expect(await store.redeem(right)).toEqual({ outcome: 'redeemed' })
      await store.close()
    } finally {
      wallClock.mockRestore()
    }
  })
})

describe('timers', () => {
  const run = promisify(execFile)
  const built = path.join(__dirname, '../../../dist')

  test('I3: do not keep a process alive that used a store', async () => {
    const script = `
      const { MemoryStore } = require(${JSON.stringify(built)})
      const store = new MemoryStore()
      store.spend({ user: 'u', bucket: 'b', capacity: 1, refill: 600 }).then((spent) => console.log(spent.outcome))`
    const { stdout } = await run(process.execPath, ['-e', script], { timeout: 20_000 })
    expect(stdout).toBe('spent\n')
  })

  test('I3: do not keep a process alive that created the plugin', async () => {
    const script = `
      const { emailOtp } = require(${JSON.stringify(built)})
      const mail = { transport: 'smtp://127.0.0.1:1', from: 'a@example.com' }
      emailOtp({ secret: 'x'.repeat(32), site: { name: 'Acme' }, mail, user: () => null })
      console.log('made')`
    const { stdout } = await run(process.execPath, ['-e', script], { timeout: 20_000 })
    expect(stdout).toBe('made\n')
  })
})
