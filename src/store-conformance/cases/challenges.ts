import assert from 'node:assert/strict'
import { type Cases, fresh, is } from '../harness.js'

/** The life of a challenge. */
export const challenges: Cases = {
  async 'a challenge begins with all its attempts and is redeemed once'(ana) {
    const { id, ...opened } = await ana.open()
    const begun = { outcome: 'opened', repeated: false, kind: 'short', attemptsLeft: 5, expiresIn: 60 }
    assert.deepEqual(opened, begun)
    assert.deepEqual(await ana.right(id), is.redeemed)
    assert.deepEqual(await ana.right(id), is.absent)
    assert.deepEqual(await ana.wrong(id), is.absent)
  },

  async 'wrong codes are counted, the last one too, and then even the right one is refused'(ana) {
    const { id } = await ana.open()
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await ana.wrong(id), is.wrong(left))
    assert.deepEqual(await ana.wrong(id), is.exhausted)
    assert.deepEqual(await ana.right(id), is.exhausted)
  },

  async 'attempts and lifetime are those of the call'(ana) {
    for (const [attempts, lifetime] of [
      [1, 30],
      [3, 300],
      [10, 600],
    ] as const) {
      Object.assign(ana, { attempts, lifetime })
      const { id, attemptsLeft, expiresIn } = await ana.open()
      assert.deepEqual({ attemptsLeft, expiresIn }, { attemptsLeft: attempts, expiresIn: lifetime })
      for (let left = attempts - 1; left >= 0; left--) assert.deepEqual(await ana.wrong(id), is.wrong(left))
      assert.deepEqual(await ana.right(id), is.exhausted)
    }
  },

  async 'the right code is redeemed with the last attempt'(ana) {
    const { id } = await ana.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await ana.wrong(id), is.wrong(left))
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'opened again, a challenge keeps its id, its attempts and what is left of its lifetime'(ana) {
    ana.lifetime = 3
    const { id } = await ana.open()
    await ana.wrong(id)
    await ana.wrong(id)
    await ana.wait(1)
    const again = { outcome: 'opened', id, repeated: true, kind: 'short', attemptsLeft: 3, expiresIn: 2 }
    assert.deepEqual(await ana.open(id), again)
    assert.deepEqual(await ana.wrong(id), is.wrong(2))
    await ana.wait(2)
    assert.deepEqual(await ana.right(id), is.absent)
  },

  async 'opened again, a challenge is redeemed by the code that was mailed first'(ana) {
    const { id } = await ana.open()
    for (let times = 0; times < 3; times++) assert.equal((await ana.open(id)).repeated, true)
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'a challenge lives as long as it was given, and is absent from then on'(ana) {
    ana.lifetime = 2
    const [early, late] = [await ana.open(), await ana.open()]
    await ana.wait(1)
    assert.deepEqual(await ana.right(early.id), is.redeemed)
    await ana.wait(1)
    assert.deepEqual(await ana.right(late.id), is.absent)
    assert.deepEqual(await ana.wrong(late.id), is.absent)
  },

  async 'what was redeemed, used up or has expired never comes back: a fresh challenge begins'(ana) {
    const unknown = await ana.open(fresh())
    assert.equal(unknown.repeated, false)
    const redeem = async (id: string): Promise<unknown> => ana.right(id)
    const useUp = async (id: string): Promise<void> => {
      for (let times = 0; times < 5; times++) await ana.wrong(id)
    }
    for (const end of [redeem, useUp, () => ana.wait(1)]) {
      ana.lifetime = end === redeem || end === useUp ? 60 : 1
      const { id } = await ana.open()
      await end(id)
      const { id: next, repeated, attemptsLeft } = await ana.open(id)
      assert.deepEqual({ repeated, attemptsLeft }, { repeated: false, attemptsLeft: 5 })
      assert.notEqual((await ana.right(id)).outcome, 'redeemed')
      assert.deepEqual(await ana.right(next), is.redeemed)
    }
  },

  async 'a challenge begins in place of one that has ended, whose pause does not hold it back'(ana) {
    ana.resend = { capacity: 1, refill: 60 }
    ana.attempts = 1
    for (const end of ['right', 'wrong'] as const) {
      const { id } = await ana.open()
      await ana[end](id)
      const next = await ana.open(id)
      assert.equal(next.repeated, false)
      assert.deepEqual(await ana.ask(next.id), is.refused('resend', 60))
    }
  },

  async 'challenges of one user are apart'(ana) {
    const [a, b] = [await ana.open(), await ana.open()]
    for (let times = 0; times < 5; times++) await ana.wrong(a.id)
    assert.deepEqual(await ana.wrong(b.id), is.wrong(4))
    assert.equal((await ana.open(b.id)).attemptsLeft, 4)
    assert.deepEqual(await ana.right(b.id), is.redeemed)
    assert.deepEqual(await ana.right(a.id), is.exhausted)
  },

  async 'a challenge is found by its own user only'(ana) {
    const { id } = await ana.open()
    const ben = ana.other()
    assert.deepEqual(await ben.right(id), is.absent)
    assert.deepEqual(await ben.wrong(id), is.absent)
    assert.equal((await ben.open(id)).repeated, false)
    assert.deepEqual(await ana.wrong(id), is.wrong(4))
    assert.deepEqual(await ana.right(id), is.redeemed)
  },
}
