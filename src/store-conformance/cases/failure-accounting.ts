import assert from 'node:assert/strict'
import { candidate, type Cases, fresh, is } from '../harness.js'

/** What the bucket `failures` is charged for and what it gets back. */
export const charges: Cases = {
  async 'guesses at what is absent, has expired, was redeemed or used up take nothing from failures'(ana) {
    ana.failures = { capacity: 3, refill: 60 }
    ana.attempts = 1
    const [redeemed, usedUp] = [await ana.open(), await ana.open()]
    await ana.right(redeemed.id)
    await ana.wrong(usedUp.id)
    ana.lifetime = 1
    const expired = await ana.open()
    await ana.wait(1)
    for (const { id } of [redeemed, usedUp, expired, { id: fresh() }]) {
      for (const kind of ['short', 'short', 'short', 'long'] as const) {
        assert.deepEqual(await ana.wrong(id, kind), id === usedUp.id ? is.exhausted : is.absent)
      }
    }
    Object.assign(ana, { attempts: 5, lifetime: 60 })
    const { id } = await ana.open()
    assert.deepEqual(await ana.wrong(id), is.wrong(4))
    assert.deepEqual(await ana.wrong(id), is.wrong(3, true))
  },

  async 'asked for again, a challenge that was used up or has expired gives nothing back'(ana) {
    ana.failures = { capacity: 4, refill: 60 }
    const usedUp = await Object.assign(ana, { attempts: 1 }).open()
    const expired = await Object.assign(ana, { attempts: 5, lifetime: 1 }).open()
    assert.deepEqual(await ana.wrong(usedUp.id), is.wrong(0))
    assert.deepEqual(await ana.wrong(expired.id), is.wrong(4))
    await ana.wait(1)
    ana.lifetime = 60
    for (const { id } of [usedUp, expired]) {
      const next = await ana.open(id)
      assert.equal(next.repeated, false)
      assert.deepEqual(await ana.right(next.id), is.redeemed)
    }
    const { id } = await ana.open()
    assert.deepEqual(await ana.wrong(id), is.wrong(4))
    assert.deepEqual(await ana.wrong(id), is.wrong(3, true))
  },

  async 'a right long code gives back the wrong short ones of its challenge, and no wrong long ones'(ana) {
    ana.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await ana.open(), await ana.open()]
    for (const { id } of [a, a, b, b]) await ana.wrong(id)
    assert.equal((await ana.open(a.id)).kind, 'long')
    for (const left of [2, 1]) assert.deepEqual(await ana.wrong(a.id, 'long'), is.wrong(left))
    assert.deepEqual(await ana.right(a.id, 'long'), is.redeemed)
    const { id, kind } = await ana.open()
    assert.equal(kind, 'short')
    assert.deepEqual(await ana.wrong(id), is.wrong(4))
    assert.deepEqual(await ana.wrong(id), is.wrong(3, true))
  },

  async 'a right code gives back nothing that has come back by itself'(ana) {
    ana.failures = { capacity: 2, refill: 1 }
    const [a, b] = [await ana.open(), await ana.open()]
    assert.deepEqual(await ana.wrong(a.id), is.wrong(4))
    await ana.wait(1)
    assert.deepEqual(await ana.right(a.id), is.redeemed)
    assert.deepEqual(await ana.wrong(b.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(b.id), is.wrong(3, true))
  },

  async 'void codes that are typed meanwhile do not put off the return of short ones'(ana) {
    ana.failures = { capacity: 2, refill: 1 }
    const [a, b] = [await ana.open(), await ana.open()]
    assert.deepEqual(await ana.wrong(a.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(b.id), is.wrong(4, true))
    await ana.wait(0.5)
    for (const { id } of [a, b, a, b]) assert.deepEqual(await ana.wrong(id), is.longer)
    await ana.wait(0.5)
    assert.equal((await ana.open(a.id)).kind, 'short')
    assert.deepEqual(await ana.right(a.id), is.redeemed)
  },

  async 'of five permits two are too few for short codes to be back, and three are enough; of one that one'(ana) {
    for (const [capacity, enough] of [
      [5, 3],
      [1, 1],
    ] as const) {
      const ben = ana.other()
      ben.failures = { capacity, refill: 60 }
      const ids: string[] = []
      while (ids.length < capacity) ids.push((await ben.open()).id)
      for (const id of ids) await ben.wrong(id)
      for (const id of ids.slice(0, enough)) {
        assert.equal((await ben.open(id)).kind, 'long')
        assert.equal((await ben.open()).kind, 'long')
        assert.deepEqual(await ben.right(id, 'long'), is.redeemed)
      }
      const { id, kind } = await ben.open()
      assert.equal(kind, 'short')
      assert.deepEqual(await ben.right(id), is.redeemed)
    }
  },

  async 'a code of the other kind is not compared and not counted'(ana) {
    ana.failures = { capacity: 2, refill: 60 }
    const [a, b] = [await ana.open(), await ana.open()]
    const notLookedAt = async (id: string, kind: 'short' | 'long'): Promise<void> => {
      const { short, long } = candidate(id)
      for (const digest of [short, long, short]) assert.deepEqual(await ana.type(id, kind, digest), is.longer)
    }
    await notLookedAt(a.id, 'long')
    assert.deepEqual(await ana.wrong(a.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(b.id), is.wrong(4, true))
    for (const { id } of [a, b]) assert.equal((await ana.open(id)).kind, 'long')
    assert.deepEqual(await ana.right(b.id, 'long'), is.redeemed)
    // Short codes are back, and the one that was mailed as a long one is still long.
    await notLookedAt(a.id, 'short')
    assert.equal((await ana.open()).kind, 'short')
    assert.deepEqual(await ana.type(a.id, 'long', candidate(a.id).short), is.wrong(3))
    assert.deepEqual(await ana.right(a.id, 'long'), is.redeemed)
  },

  async 'failures that are given back one by one count like those that came back with time'(ana) {
    ana.failures = { capacity: 4, refill: 60 }
    const { id } = await ana.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await ana.wrong(id), is.wrong(left, left === 1))
    await ana.spend('failures', ana.failures, -1)
    assert.deepEqual(await ana.wrong(id), is.longer)
    await ana.spend('failures', ana.failures, -1)
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'once all of its permits are back, it is forgotten that failures were ever empty'(ana) {
    ana.failures = { capacity: 3, refill: 0.5 }
    const { id } = await ana.open()
    for (const left of [4, 3, 2]) assert.deepEqual(await ana.wrong(id), is.wrong(left, left === 2))
    await ana.wait(1.5)
    ana.failures = { capacity: 3, refill: 60 }
    for (let times = 0; times < 2; times++) assert.deepEqual(await ana.spend('failures', ana.failures), is.spent)
    assert.equal((await ana.open()).kind, 'short')
    assert.deepEqual(await ana.wrong(id), is.wrong(1, true))
  },
}
