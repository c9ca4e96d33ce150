import assert from 'node:assert/strict'
import { type Cases, expected, randomId } from '../harness.js'

/** Challenges from opening to redemption or expiry. */
export const challenges: Cases = {
  async 'a new challenge has all of its attempts and is redeemed once'(user) {
    const { id, ...opened } = await user.open()
    const begun = { outcome: 'opened', repeated: false, kind: 'short', attemptsLeft: 5, expiresIn: 60 }
    assert.deepEqual(opened, begun)
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
    assert.deepEqual(await user.redeemRight(id), expected.notFound)
    assert.deepEqual(await user.redeemWrong(id), expected.notFound)
  },

  async 'wrong codes are counted, including the last one; after that even the right code is refused'(user) {
    const { id } = await user.open()
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left))
    assert.deepEqual(await user.redeemWrong(id), expected.exhausted)
    assert.deepEqual(await user.redeemRight(id), expected.exhausted)
  },

  async 'attempts and lifetime are those of the request'(user) {
    for (const [attempts, lifetime] of [
      [1, 30],
      [3, 300],
      [10, 600],
    ] as const) {
      Object.assign(user, { attempts, lifetime })
      const { id, attemptsLeft, expiresIn } = await user.open()
      assert.deepEqual({ attemptsLeft, expiresIn }, { attemptsLeft: attempts, expiresIn: lifetime })
      for (let left = attempts - 1; left >= 0; left--)
        assert.deepEqual(await user.redeemWrong(id), expected.wrong(left))
      assert.deepEqual(await user.redeemRight(id), expected.exhausted)
    }
  },

  async 'the right code is redeemed with the last attempt'(user) {
    const { id } = await user.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left))
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'opening a challenge again keeps its id, its attempts and its expiry'(user) {
    user.lifetime = 3
    const { id } = await user.open()
    await user.redeemWrong(id)
    await user.redeemWrong(id)
    await user.wait(1)
    const again = { outcome: 'opened', id, repeated: true, kind: 'short', attemptsLeft: 3, expiresIn: 2 }
    assert.deepEqual(await user.open(id), again)
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(2))
    await user.wait(2)
    assert.deepEqual(await user.redeemRight(id), expected.notFound)
  },

  async 'opening a challenge again keeps its code'(user) {
    const { id } = await user.open()
    for (let times = 0; times < 3; times++) assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'a challenge expires at the end of its lifetime and is not found from then on'(user) {
    user.lifetime = 2
    const [early, late] = [await user.open(), await user.open()]
    await user.wait(1)
    assert.deepEqual(await user.redeemRight(early.id), expected.redeemed)
    await user.wait(1)
    assert.deepEqual(await user.redeemRight(late.id), expected.notFound)
    assert.deepEqual(await user.redeemWrong(late.id), expected.notFound)
  },

  async 'a redeemed, exhausted or expired challenge is never opened again: the fresh one is'(user) {
    const unknown = await user.open(randomId())
    assert.equal(unknown.repeated, false)
    const redeem = async (id: string): Promise<unknown> => user.redeemRight(id)
    const useUp = async (id: string): Promise<void> => {
      for (let times = 0; times < 5; times++) await user.redeemWrong(id)
    }
    for (const end of [redeem, useUp, () => user.wait(1)]) {
      user.lifetime = end === redeem || end === useUp ? 60 : 1
      const { id } = await user.open()
      await end(id)
      const { id: next, repeated, attemptsLeft } = await user.open(id)
      assert.deepEqual({ repeated, attemptsLeft }, { repeated: false, attemptsLeft: 5 })
      assert.notEqual((await user.redeemRight(id)).outcome, 'redeemed')
      assert.deepEqual(await user.redeemRight(next), expected.redeemed)
    }
  },

  async 'the resend wait of an ended challenge does not delay the fresh one'(user) {
    user.resend = { capacity: 1, refill: 60 }
    user.attempts = 1
    for (const end of ['redeemRight', 'redeemWrong'] as const) {
      const { id } = await user.open()
      await user[end](id)
      const next = await user.open(id)
      assert.equal(next.repeated, false)
      assert.deepEqual(await user.tryOpen(next.id), expected.openThrottled('resend', 60))
    }
  },

  async 'challenges of one user are independent'(user) {
    const [a, b] = [await user.open(), await user.open()]
    for (let times = 0; times < 5; times++) await user.redeemWrong(a.id)
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(4))
    assert.equal((await user.open(b.id)).attemptsLeft, 4)
    assert.deepEqual(await user.redeemRight(b.id), expected.redeemed)
    assert.deepEqual(await user.redeemRight(a.id), expected.exhausted)
  },

  async 'a challenge is found for its own user only'(user) {
    const { id } = await user.open()
    const otherUser = user.other()
    assert.deepEqual(await otherUser.redeemRight(id), expected.notFound)
    assert.deepEqual(await otherUser.redeemWrong(id), expected.notFound)
    assert.equal((await otherUser.open(id)).repeated, false)
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4))
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },
}
