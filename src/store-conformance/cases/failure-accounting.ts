import assert from 'node:assert/strict'
import { candidate, type Cases, expected, randomId } from '../harness.js'

/** What takes permits from the bucket `failures`, and what refunds them. */
export const failureAccounting: Cases = {
  async 'guesses at a missing, expired, redeemed or exhausted challenge take no failures'(user) {
    user.failures = { capacity: 3, refill: 60 }
    user.attempts = 1
    const [redeemed, usedUp] = [await user.open(), await user.open()]
    await user.redeemRight(redeemed.id)
    await user.redeemWrong(usedUp.id)
    user.lifetime = 1
    const expired = await user.open()
    await user.wait(1)
    for (const { id } of [redeemed, usedUp, expired, { id: randomId() }]) {
      for (const kind of ['short', 'short', 'short', 'long'] as const) {
        assert.deepEqual(await user.redeemWrong(id, kind), id === usedUp.id ? expected.exhausted : expected.notFound)
      }
    }
    Object.assign(user, { attempts: 5, lifetime: 60 })
    const { id } = await user.open()
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(3, true))
  },

  async 'replacing an exhausted or expired challenge refunds nothing'(user) {
    user.failures = { capacity: 4, refill: 60 }
    const usedUp = await Object.assign(user, { attempts: 1 }).open()
    const expired = await Object.assign(user, { attempts: 5, lifetime: 1 }).open()
    assert.deepEqual(await user.redeemWrong(usedUp.id), expected.wrong(0))
    assert.deepEqual(await user.redeemWrong(expired.id), expected.wrong(4))
    await user.wait(1)
    user.lifetime = 60
    for (const { id } of [usedUp, expired]) {
      const next = await user.open(id)
      assert.equal(next.repeated, false)
      assert.deepEqual(await user.redeemRight(next.id), expected.redeemed)
    }
    const { id } = await user.open()
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(3, true))
  },

  async 'a right long code refunds the wrong short codes of its challenge, and no wrong long ones'(user) {
    user.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await user.open(), await user.open()]
    for (const { id } of [a, a, b, b]) await user.redeemWrong(id)
    assert.equal((await user.open(a.id)).kind, 'long')
    for (const left of [2, 1]) assert.deepEqual(await user.redeemWrong(a.id, 'long'), expected.wrong(left))
    assert.deepEqual(await user.redeemRight(a.id, 'long'), expected.redeemed)
    const { id, kind } = await user.open()
    assert.equal(kind, 'short')
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(3, true))
  },

  async 'a right code refunds no permit that has already been refilled'(user) {
    user.failures = { capacity: 2, refill: 1 }
    const [a, b] = [await user.open(), await user.open()]
    assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(4))
    await user.wait(1)
    assert.deepEqual(await user.redeemRight(a.id), expected.redeemed)
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(3, true))
  },

  async 'guesses at disabled short codes do not delay their return'(user) {
    user.failures = { capacity: 2, refill: 1 }
    const [a, b] = [await user.open(), await user.open()]
    assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(4, true))
    await user.wait(0.5)
    for (const { id } of [a, b, a, b]) assert.deepEqual(await user.redeemWrong(id), expected.longCodeRequired)
    await user.wait(0.5)
    assert.equal((await user.open(a.id)).kind, 'short')
    assert.deepEqual(await user.redeemRight(a.id), expected.redeemed)
  },

  async 'short codes return at three of five permits, and at one of one'(user) {
    for (const [capacity, enough] of [
      [5, 3],
      [1, 1],
    ] as const) {
      const otherUser = user.other()
      otherUser.failures = { capacity, refill: 60 }
      const ids: string[] = []
      while (ids.length < capacity) ids.push((await otherUser.open()).id)
      for (const id of ids) await otherUser.redeemWrong(id)
      for (const id of ids.slice(0, enough)) {
        assert.equal((await otherUser.open(id)).kind, 'long')
        assert.equal((await otherUser.open()).kind, 'long')
        assert.deepEqual(await otherUser.redeemRight(id, 'long'), expected.redeemed)
      }
      const { id, kind } = await otherUser.open()
      assert.equal(kind, 'short')
      assert.deepEqual(await otherUser.redeemRight(id), expected.redeemed)
    }
  },

  async 'a code of the other kind is neither compared nor counted'(user) {
    user.failures = { capacity: 2, refill: 60 }
    const [a, b] = [await user.open(), await user.open()]
    const expectIgnored = async (id: string, kind: 'short' | 'long'): Promise<void> => {
      const { short, long } = candidate(id)
      for (const digest of [short, long, short])
        assert.deepEqual(await user.redeemDigest(id, kind, digest), expected.longCodeRequired)
    }
    await expectIgnored(a.id, 'long')
    assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(4))
    assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(4, true))
    for (const { id } of [a, b]) assert.equal((await user.open(id)).kind, 'long')
    assert.deepEqual(await user.redeemRight(b.id, 'long'), expected.redeemed)
    // Short codes are enabled again, but this challenge was mailed a long one.
    await expectIgnored(a.id, 'short')
    assert.equal((await user.open()).kind, 'short')
    assert.deepEqual(await user.redeemDigest(a.id, 'long', candidate(a.id).short), expected.wrong(3))
    assert.deepEqual(await user.redeemRight(a.id, 'long'), expected.redeemed)
  },

  async 'failures that are refunded one by one count like refilled ones'(user) {
    user.failures = { capacity: 4, refill: 60 }
    const { id } = await user.open()
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left, left === 1))
    await user.spend('failures', user.failures, -1)
    assert.deepEqual(await user.redeemWrong(id), expected.longCodeRequired)
    await user.spend('failures', user.failures, -1)
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'once failures is full again, it no longer counts as having been empty'(user) {
    user.failures = { capacity: 3, refill: 0.5 }
    const { id } = await user.open()
    for (const left of [4, 3, 2]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left, left === 2))
    await user.wait(1.5)
    user.failures = { capacity: 3, refill: 60 }
    for (let times = 0; times < 2; times++)
      assert.deepEqual(await user.spend('failures', user.failures), expected.spent)
    assert.equal((await user.open()).kind, 'short')
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(1, true))
  },
}
