import { execFile } from 'node:child_process'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { conformsOnMovedClock } from '../helpers/conforms.js'
import { wrongCode } from '../helpers/mailbox.js'
import { Clock, HostApp, type Agent } from '../helpers/host-app.js'
import { ExpiringMap } from '../../src/stores/memory/expiring-map.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import type { OpenOutcome, RedeemOutcome } from '../../src/stores/store.js'

describe('the memory store conforms:', () => {
  const clock = new Clock()
  const wait = (seconds: number) => {
    clock.tick(seconds)
    return Promise.resolve()
  }
  conformsOnMovedClock(() => new MemoryStore({ now: clock.now }), wait)
})

const ROOMY = { capacity: 100, refill: 60 }

/** A store of few entries, and the two acts that fill it. */
function small(maxEntries: number) {
  const clock = new Clock()
  const store = new MemoryStore({ maxEntries, now: clock.now })
  const open = (id: string, { user = id, lifetime = 60, repeat = false } = {}): Promise<OpenOutcome> => {
    const candidate = { id, short: `short ${id}`, long: `long ${id}` }
    const limits = { sends: ROOMY, resend: { capacity: 2, refill: 1 }, failures: ROOMY }
    return store.open({
      user,
      existing: repeat ? candidate : null,
      fresh: candidate,
      lifetime,
      attempts: 5,
      ...limits,
    })
  }
  const type = (id: string, code: string): Promise<RedeemOutcome> =>
    store.redeem({ user: id, id, kind: 'short', digest: `${code} ${id}`, failures: ROOMY })
  return { clock, store, open, type }
}

describe('a memory store that is full', () => {
  test('I3: refuses a new challenge with an error, and leaves every counter as it was', async () => {
    const { open, type } = small(3)
    for (const id of ['a', 'b', 'c']) await open(id)
    await type('a', 'wrong')
    await expect(open('d')).rejects.toThrow('full: 3 live entries')
    expect(await type('d', 'short')).toEqual({ outcome: 'not_found' })
    expect(await type('a', 'wrong')).toEqual({ outcome: 'mismatch', attemptsLeft: 3, escalated: false })
    for (const id of ['a', 'b', 'c']) expect(await type(id, 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: opens again what is open already', async () => {
    const { open } = small(1)
    await open('a')
    await expect(open('b')).rejects.toThrow('full')
    expect(await open('a', { repeat: true })).toMatchObject({ outcome: 'opened', repeated: true })
  })

  test('I3: has room as soon as a challenge was redeemed or has expired', async () => {
    const { clock, open, type } = small(2)
    await open('a')
    await open('b', { lifetime: 30 })
    await expect(open('c')).rejects.toThrow('full')
    await type('a', 'short')
    await open('c')
    await expect(open('d')).rejects.toThrow('full')
    clock.tick(30)
    expect(await open('d')).toMatchObject({ outcome: 'opened' })
    await expect(open('e')).rejects.toThrow('full')
    expect(await type('c', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: refuses new buckets too, and forgets none', async () => {
    const { clock, store } = small(1)
    const spend = (bucket: string) => store.spend({ user: 'ana', bucket, capacity: 1, refill: 60 })
    for (const bucket of ['a', 'b', 'c', 'd']) await spend(bucket)
    await expect(spend('e')).rejects.toThrow('full: 4 live entries')
    for (const bucket of ['a', 'b', 'c', 'd'])
      expect(await spend(bucket)).toEqual({ outcome: 'throttled', retryAfter: 60 })
    clock.tick(60)
    expect(await spend('e')).toEqual({ outcome: 'spent' })
  })

  test('I3: a flood of sends leaves room to count guesses: live challenges can be redeemed', async () => {
    const { open, store, type } = small(1)
    await open('a')
    for (const bucket of ['x', 'y']) await store.spend({ user: 'ben', bucket, capacity: 1, refill: 60 })
    await expect(store.spend({ user: 'ben', bucket: 'z', capacity: 1, refill: 60 })).rejects.toThrow('full')
    expect(await type('a', 'wrong')).toMatchObject({ outcome: 'mismatch', attemptsLeft: 4 })
    expect(await type('a', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: where wrong guesses find no room to be counted, right ones are not looked at either', async () => {
    const { clock, open, store, type } = small(1)
    const lasting = { capacity: 10, refill: 3_600 }
    for (const id of ['a', 'b', 'c', 'd']) {
      await open(id)
      const wrong = { user: id, id, kind: 'short', digest: 'wrong', failures: lasting } as const
      expect((await store.redeem(wrong)).outcome).toBe('mismatch')
      clock.tick(60)
    }
    await open('e')
    for (const code of ['wrong', 'short']) await expect(type('e', code)).rejects.toThrow('full: 4 live entries')
    clock.tick(3_600)
    await open('e')
    expect(await type('e', 'short')).toEqual({ outcome: 'redeemed' })
  })

  test('I3: a challenge that finds room for only one of its two buckets takes neither', async () => {
    const { open, store } = small(1)
    for (const bucket of ['x', 'y', 'z']) await store.spend({ user: 'ben', bucket, capacity: 1, refill: 60 })
    await expect(open('a')).rejects.toThrow('full')
    expect(await store.spend({ user: 'ben', bucket: 'w', capacity: 1, refill: 60 })).toEqual({
      outcome: 'spent',
    })
  })

  test('I3: the next person gets 503 and no mail, the first one goes on', async () => {
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

  test('takes no more entries than it was made for', () => {
    for (const maxEntries of [0, -1, 1.5, NaN, Infinity, '10' as unknown as number])
      expect(() => new MemoryStore({ maxEntries })).toThrow('MemoryStore: maxEntries must be a whole number from 1')
  })
})

test('V2 and V6: whatever the refill, as many codes are compared as failures holds, at any moment', async () => {
  for (let parts = 60; parts <= 73; parts++) {
    const limit = { capacity: 3, refill: 31_536_000 / parts }
    const store = new MemoryStore()
    const ids = Array.from({ length: 5 }, (_, i) => `${i}`)
    const roomy = { sends: ROOMY, resend: ROOMY, failures: limit }
    for (const id of ids) {
      const begin = { id, short: 'short', long: 'long' }
      await store.open({ user: 'ana', existing: null, fresh: begin, lifetime: 600, attempts: 5, ...roomy })
    }
    const guesses = ids.flatMap((id) => Array.from({ length: 5 }, () => id))
    const outcomes = await Promise.all(
      guesses.map((id) => store.redeem({ user: 'ana', id, kind: 'short', digest: 'wrong', failures: limit })),
    )
    expect(outcomes.filter(({ outcome }) => outcome === 'mismatch')).toHaveLength(3)
    await store.close()
  }
})

test('I5: people with ids such as __proto__ are people like any other', async () => {
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

describe('a shelf', () => {
  const shelf = (capacity: number) => new ExpiringMap<number>(capacity, (runsOut) => runsOut)

  test('finds the room of what ran out behind thousands of entries within a few turns, and blocks none of them', async () => {
    const long = shelf(20_000)
    for (let i = 0; i < 20_000; i++) long.set(`${i}`, i < 19_999 ? 9_000 : 1_000)
    const ask = () => {
      long.ensureCapacity(1_999, 'new')
    }
    expect(ask).toThrow('full: 20000 live entries')
    for (let turns = 0; turns < 12; turns++) await turn()
    expect(ask).not.toThrow()
  })

  test('looks for room a little way with each request, and through all of it once a second', async () => {
    let looked = 0
    const counting = new ExpiringMap<number>(20_000, (runsOut) => ((looked += 1), runsOut))
    for (let i = 0; i < 20_000; i++) counting.set(`${i}`, 9_000)
    for (let requests = 0; requests < 10; requests++) {
      looked = 0
      expect(() => {
        counting.ensureCapacity(500, 'new')
      }).toThrow('full')
      expect(looked).toBeLessThanOrEqual(4_000)
    }
    looked = 0
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(looked).toBeLessThanOrEqual(20_000)
  })

  test('counts new keys only, and all of them', () => {
    const three = shelf(3)
    three.set('a', 10)
    three.set('b', 10)
    expect(() => {
      three.ensureCapacity(0, 'a', 'c')
    }).not.toThrow()
    expect(() => {
      three.ensureCapacity(0, 'c', 'd')
    }).toThrow('full')
    expect(three.get('a', 0)).toBe(10)
  })

  test('does not show what has run out', () => {
    const one = shelf(1)
    one.set('a', 10)
    expect([one.get('a', 9), one.get('a', 10), one.get('b', 0)]).toEqual([10, undefined, undefined])
  })

  test('is swept whole, chunk by chunk, and keeps what lives', async () => {
    const many = shelf(10_000)
    for (let i = 0; i < 10_000; i++) many.set(`${i}`, i % 2 === 0 ? 10 : 20)
    many.sweep(() => 10)
    for (let chunk = 0; chunk < 10; chunk++) await turn()
    // At moment 0 all would still count: what is gone now was thrown out by the sweeping.
    const left = Array.from({ length: 10_000 }, (_, i) => many.get(`${i}`, 0)).filter((entry) => entry !== undefined)
    expect(left).toEqual(Array<number>(5_000).fill(20))
  })
})

describe('timers', () => {
  const run = promisify(execFile)
  const built = path.join(__dirname, '../../dist')

  test('I3: a process that made a store and used it ends by itself', async () => {
    const script = `
      const { MemoryStore } = require(${JSON.stringify(built)})
      const store = new MemoryStore()
      store.spend({ user: 'u', bucket: 'b', capacity: 1, refill: 600 }).then((spent) => console.log(spent.outcome))`
    const { stdout } = await run(process.execPath, ['-e', script], { timeout: 20_000 })
    expect(stdout).toBe('spent\n')
  })

  test('I3: so does one that made the whole plugin', async () => {
    const script = `
      const { emailOtp } = require(${JSON.stringify(built)})
      const mail = { transport: 'smtp://127.0.0.1:1', from: 'a@example.com' }
      emailOtp({ secret: 'x'.repeat(32), site: { name: 'Acme' }, mail, user: () => null })
      console.log('made')`
    const { stdout } = await run(process.execPath, ['-e', script], { timeout: 20_000 })
    expect(stdout).toBe('made\n')
  })
})
