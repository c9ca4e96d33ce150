import assert from 'node:assert/strict'
import { type Cases, expected } from '../harness.js'

/** The bucket `failures`: when it is empty, codes become long; nobody is locked out. */
export const escalation: Cases = {
  async 'wrong codes for all challenges of a user empty one bucket, and the last one reports it'(user) {
    user.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await user.open(), await user.open()]
    assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(3))
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(3, true))
    assert.equal((await user.open()).kind, 'long')
    const otherUser = user.other()
    const { id, kind } = await otherUser.open()
    assert.equal(kind, 'short')
    assert.deepEqual(await otherUser.redeemRight(id), expected.redeemed)
  },

  async 'while failures is empty, short codes are disabled and not counted'(user) {
    user.failures = { capacity: 2, refill: 60 }
    const [a, b] = [await user.open(), await user.open()]
    await user.redeemWrong(a.id)
    await user.redeemWrong(a.id)
    for (let times = 0; times < 7; times++) {
      assert.deepEqual(await user.redeemRight(b.id), expected.longCodeRequired)
      assert.deepEqual(await user.redeemWrong(a.id), expected.longCodeRequired)
    }
    const left = { [b.id]: 5, [a.id]: 3 }
    for (const [id, attemptsLeft] of Object.entries(left)) {
      const again = { outcome: 'opened', id, repeated: true, kind: 'long', attemptsLeft, expiresIn: 60 }
      assert.deepEqual(await user.open(id), again)
      assert.deepEqual(await user.redeemRight(id), expected.longCodeRequired)
      assert.deepEqual(await user.redeemRight(id, 'long'), expected.redeemed)
      assert.deepEqual(await user.redeemRight(id, 'long'), expected.notFound)
    }
    // The refund of two permits is at least half of the capacity.
    assert.equal((await user.open()).kind, 'short')
  },

  async 'guesses at a long code use up the attempts of its challenge'(user) {
    user.failures = { capacity: 1, refill: 60 }
    const { id } = await user.open()
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4, true))
    assert.equal((await user.open(id)).attemptsLeft, 4)
    for (const left of [3, 2, 1, 0]) assert.deepEqual(await user.redeemWrong(id, 'long'), expected.wrong(left))
    assert.deepEqual(await user.redeemRight(id, 'long'), expected.exhausted)
    assert.equal((await user.open(id)).repeated, false)
  },

  async 'guesses at long codes take no failures, and short codes return at half of the capacity'(user) {
    user.failures = { capacity: 4, refill: 2 }
    const { id } = await user.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left, left === 1))
    await user.wait(3)
    const long = await user.open()
    assert.equal(long.kind, 'long')
    for (const left of [4, 3, 2]) assert.deepEqual(await user.redeemWrong(long.id, 'long'), expected.wrong(left))
    await user.wait(1)
    const short = await user.open()
    assert.equal(short.kind, 'short')
    // A long code that was mailed stays valid as long as its challenge.
    assert.equal((await user.open(long.id)).kind, 'long')
    assert.deepEqual(await user.redeemWrong(short.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(short.id), expected.wrong(3, true))
  },

  async 'a right code refunds what its own challenge took and no more, and opening again refunds nothing'(user) {
    user.failures = { capacity: 4, refill: 60 }
    const [a, b, c] = [await user.open(), await user.open(), await user.open()]
    await user.redeemWrong(a.id)
    await user.redeemWrong(a.id)
    await user.redeemWrong(b.id)
    await user.open(a.id)
    await user.open(b.id)
    assert.deepEqual(await user.redeemRight(b.id), expected.redeemed)
    assert.deepEqual(await user.redeemWrong(c.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(c.id), expected.wrong(3, true))
  },

  async 'a smaller capacity of failures in a request applies at once'(user) {
    user.failures = { capacity: 10, refill: 60 }
    const { id } = await user.open()
    for (const left of [4, 3, 2]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left))
    user.failures = { capacity: 3, refill: 60 }
    assert.equal((await user.open(id)).kind, 'long')
    assert.deepEqual(await user.redeemRight(id), expected.longCodeRequired)
    assert.deepEqual(await user.redeemRight(id, 'long'), expected.redeemed)
  },

  async 'a right code is accepted with the last permit and does not take it'(user) {
    user.failures = { capacity: 1, refill: 60 }
    for (let times = 0; times < 3; times++) {
      const { id, kind } = await user.open()
      assert.equal(kind, 'short')
      assert.deepEqual(await user.redeemRight(id), expected.redeemed)
    }
  },
}
