import assert from 'node:assert/strict'
import { type Cases, expected, parallel, randomId, tally } from '../harness.js'

/** Many concurrent operations of one kind: each must be atomic. */
export const races: Cases = {
  async 'of 100 concurrent right codes exactly one is redeemed'(user) {
    const { id } = await user.open()
    const outcomes = await parallel(100, () => user.redeemRight(id))
    assert.deepEqual(tally(outcomes), { redeemed: 1, not_found: 99 })
  },

  async 'of 200 concurrent wrong codes as many are compared as there are attempts'(user) {
    const { id } = await user.open()
    const outcomes = await parallel(200, () => user.redeemWrong(id))
    assert.deepEqual(tally(outcomes), { mismatch: 5, exhausted: 195 })
    const left = outcomes.flatMap((one) => (one.outcome === 'mismatch' ? [one.attemptsLeft] : []))
    assert.deepEqual(left.sort(), [0, 1, 2, 3, 4])
    assert.deepEqual(await user.redeemRight(id), expected.exhausted)
  },

  async 'a right code is redeemed among concurrent wrong ones while attempts are left'(user) {
    for (let round = 0; round < 20; round++) {
      const { id } = await user.open()
      const outcomes = await parallel(5, (i) => (i === round % 5 ? user.redeemRight(id) : user.redeemWrong(id)))
      assert.equal(tally(outcomes).redeemed, 1)
    }
  },

  async 'a right code among too many wrong ones is compared within the attempts or not at all'(user) {
    for (let round = 0; round < 10; round++) {
      const { id } = await user.open()
      const outcomes = await parallel(20, (i) => (i === round ? user.redeemRight(id) : user.redeemWrong(id)))
      const { redeemed = 0, mismatch = 0, exhausted = 0, not_found: notFound = 0 } = tally(outcomes)
      assert.equal(redeemed + mismatch + exhausted + notFound, 20)
      assert.ok(redeemed === 1 ? mismatch < 5 : mismatch === 5, `${redeemed} right and ${mismatch} wrong`)
    }
  },

  async 'concurrent guesses at a long code are counted like those at a short one'(user) {
    user.failures = { capacity: 1, refill: 600 }
    await user.redeemWrong((await user.open()).id)
    const [a, b] = [await user.open(), await user.open()]
    assert.deepEqual(tally(await parallel(50, () => user.redeemRight(a.id, 'long'))), { redeemed: 1, not_found: 49 })
    assert.deepEqual(tally(await parallel(50, () => user.redeemWrong(b.id, 'long'))), { mismatch: 5, exhausted: 45 })
  },

  async 'concurrent wrong codes for many challenges never take more than failures holds'(user) {
    user.failures = { capacity: 10, refill: 600 }
    const opened = await parallel(5, () => user.open())
    const ids = opened.flatMap(({ id }) => Array<string>(5).fill(id))
    const outcomes = await Promise.all(ids.map((id) => user.redeemWrong(id)))
    assert.deepEqual(tally(outcomes), { mismatch: 10, long_code_required: 15 })
    assert.equal(outcomes.filter((one) => one.outcome === 'mismatch' && one.escalated).length, 1)
  },

  async 'of 50 concurrent opens as many succeed as sends holds'(user) {
    user.sends = { capacity: 5, refill: 600 }
    const ids = Array.from({ length: 50 }, randomId)
    const outcomes = await Promise.all(ids.map((id) => user.tryOpen(null, id)))
    assert.deepEqual(tally(outcomes), { opened: 5, throttled: 45 })
    assert.deepEqual(tally(await Promise.all(ids.map((id) => user.redeemRight(id)))), { redeemed: 5, not_found: 45 })
  },

  async 'of 50 concurrent opens of one challenge one succeeds per resend wait'(user) {
    user.resend = { capacity: 1, refill: 2 }
    const { id } = await user.open()
    await user.wait(2)
    assert.deepEqual(tally(await parallel(50, () => user.tryOpen(id))), { opened: 1, throttled: 49 })
  },

  async 'of 50 concurrent calls a bucket of one permit allows one'(user) {
    const outcomes = await parallel(50, () => user.spend('grant', { capacity: 1, refill: 60 }))
    assert.deepEqual(tally(outcomes), { spent: 1, throttled: 49 })
  },

  async 'permits taken and refunded concurrently are all counted'(user) {
    const limit = { capacity: 30, refill: 600 }
    assert.deepEqual(tally(await parallel(20, () => user.spend('mails', limit))), { spent: 20 })
    const both = await parallel(40, (i) => user.spend('mails', limit, i % 2 === 0 ? 1 : -1))
    const { spent: taken = 0 } = tally(both.filter((_, i) => i % 2 === 0))
    const { spent: left } = tally(await parallel(40, () => user.spend('mails', limit)))
    assert.equal(left, 30 - taken)
  },
}
