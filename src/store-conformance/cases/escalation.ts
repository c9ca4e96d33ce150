import assert from 'node:assert/strict'
import { type Cases, is } from '../harness.js'

/** The bucket of wrong short codes: empty, it makes codes longer and locks nobody out. */
export const failures: Cases = {
  async 'wrong codes for all challenges of a user empty one bucket, and the one that empties it says so'(ana) {
    ana.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await ana.open(), await ana.open()]
    assert.deepEqual(await ana.wrong(a.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(a.id), is.wrong(3))
    assert.deepEqual(await ana.wrong(b.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(b.id), is.wrong(3, true))
    assert.equal((await ana.open()).kind, 'long')
    const ben = ana.other()
    const { id, kind } = await ben.open()
    assert.equal(kind, 'short')
    assert.deepEqual(await ben.right(id), is.redeemed)
  },

  async 'once it is empty, short codes are void and nothing is counted for them'(ana) {
    ana.failures = { capacity: 2, refill: 60 }
    const [a, b] = [await ana.open(), await ana.open()]
    await ana.wrong(a.id)
    await ana.wrong(a.id)
    for (let times = 0; times < 7; times++) {
      assert.deepEqual(await ana.right(b.id), is.longer)
      assert.deepEqual(await ana.wrong(a.id), is.longer)
    }
    const left = { [b.id]: 5, [a.id]: 3 }
    for (const [id, attemptsLeft] of Object.entries(left)) {
      const again = { outcome: 'opened', id, repeated: true, kind: 'long', attemptsLeft, expiresIn: 60 }
      assert.deepEqual(await ana.open(id), again)
      assert.deepEqual(await ana.right(id), is.longer)
      assert.deepEqual(await ana.right(id, 'long'), is.redeemed)
      assert.deepEqual(await ana.right(id, 'long'), is.absent)
    }
    // The owner's own two are back, which is half of the capacity and more.
    assert.equal((await ana.open()).kind, 'short')
  },

  async 'guesses at a long code are counted for its challenge'(ana) {
    ana.failures = { capacity: 1, refill: 60 }
    const { id } = await ana.open()
    assert.deepEqual(await ana.wrong(id), is.wrong(4, true))
    assert.equal((await ana.open(id)).attemptsLeft, 4)
    for (const left of [3, 2, 1, 0]) assert.deepEqual(await ana.wrong(id, 'long'), is.wrong(left))
    assert.deepEqual(await ana.right(id, 'long'), is.exhausted)
    assert.equal((await ana.open(id)).repeated, false)
  },

  async 'guesses at long codes take nothing, and with half of the capacity short codes are back'(ana) {
    ana.failures = { capacity: 4, refill: 2 }
    const { id } = await ana.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await ana.wrong(id), is.wrong(left, left === 1))
    await ana.wait(3)
    const long = await ana.open()
    assert.equal(long.kind, 'long')
    for (const left of [4, 3, 2]) assert.deepEqual(await ana.wrong(long.id, 'long'), is.wrong(left))
    await ana.wait(1)
    const short = await ana.open()
    assert.equal(short.kind, 'short')
    // The mail that is out keeps its meaning: a long code stays long as long as its challenge lives.
    assert.equal((await ana.open(long.id)).kind, 'long')
    assert.deepEqual(await ana.wrong(short.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(short.id), is.wrong(3, true))
  },

  async 'a right code gives back what its own challenge took and no more; sending it again gives nothing'(ana) {
    ana.failures = { capacity: 4, refill: 60 }
    const [a, b, c] = [await ana.open(), await ana.open(), await ana.open()]
    await ana.wrong(a.id)
    await ana.wrong(a.id)
    await ana.wrong(b.id)
    await ana.open(a.id)
    await ana.open(b.id)
    assert.deepEqual(await ana.right(b.id), is.redeemed)
    assert.deepEqual(await ana.wrong(c.id), is.wrong(4))
    assert.deepEqual(await ana.wrong(c.id), is.wrong(3, true))
  },

  async 'limits are those of the call: under a smaller capacity codes are longer at once'(ana) {
    ana.failures = { capacity: 10, refill: 60 }
    const { id } = await ana.open()
    for (const left of [4, 3, 2]) assert.deepEqual(await ana.wrong(id), is.wrong(left))
    ana.failures = { capacity: 3, refill: 60 }
    assert.equal((await ana.open(id)).kind, 'long')
    assert.deepEqual(await ana.right(id), is.longer)
    assert.deepEqual(await ana.right(id, 'long'), is.redeemed)
  },

  async 'a right code is let in with the last permit, and leaves it there'(ana) {
    ana.failures = { capacity: 1, refill: 60 }
    for (let times = 0; times < 3; times++) {
      const { id, kind } = await ana.open()
      assert.equal(kind, 'short')
      assert.deepEqual(await ana.right(id), is.redeemed)
    }
  },
}
