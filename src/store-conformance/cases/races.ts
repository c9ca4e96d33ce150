import assert from 'node:assert/strict'
import { type Cases, fresh, is, parallel, tally } from '../harness.js'

/** Many acts at once: each must be one atomic act. */
export const races: Cases = {
  async 'of 100 right codes at once exactly one is redeemed'(ana) {
    const { id } = await ana.open()
    const outcomes = await parallel(100, () => ana.right(id))
    assert.deepEqual(tally(outcomes), { redeemed: 1, absent: 99 })
  },

  async 'of 200 wrong codes at once exactly as many are compared as there are attempts'(ana) {
    const { id } = await ana.open()
    const outcomes = await parallel(200, () => ana.wrong(id))
    assert.deepEqual(tally(outcomes), { mismatch: 5, exhausted: 195 })
    const left = outcomes.flatMap((one) => (one.outcome === 'mismatch' ? [one.attemptsLeft] : []))
    assert.deepEqual(left.sort(), [0, 1, 2, 3, 4])
    assert.deepEqual(await ana.right(id), is.exhausted)
  },

  async 'a right code is redeemed whichever wrong ones race it, while attempts are left'(ana) {
    for (let round = 0; round < 20; round++) {
      const { id } = await ana.open()
      const outcomes = await parallel(5, (i) => (i === round % 5 ? ana.right(id) : ana.wrong(id)))
      assert.equal(tally(outcomes).redeemed, 1)
    }
  },

  async 'a right code among too many wrong ones is compared within the attempts or not at all'(ana) {
    for (let round = 0; round < 10; round++) {
      const { id } = await ana.open()
      const outcomes = await parallel(20, (i) => (i === round ? ana.right(id) : ana.wrong(id)))
      const { redeemed = 0, mismatch = 0, exhausted = 0, absent = 0 } = tally(outcomes)
      assert.equal(redeemed + mismatch + exhausted + absent, 20)
      assert.ok(redeemed === 1 ? mismatch < 5 : mismatch === 5, `${redeemed} right and ${mismatch} wrong`)
    }
  },

  async 'guesses at a long code race as those at a short one'(ana) {
    ana.failures = { capacity: 1, refill: 600 }
    await ana.wrong((await ana.open()).id)
    const [a, b] = [await ana.open(), await ana.open()]
    assert.deepEqual(tally(await parallel(50, () => ana.right(a.id, 'long'))), { redeemed: 1, absent: 49 })
    assert.deepEqual(tally(await parallel(50, () => ana.wrong(b.id, 'long'))), { mismatch: 5, exhausted: 45 })
  },

  async 'wrong codes for many challenges at once never take more than failures holds'(ana) {
    ana.failures = { capacity: 10, refill: 600 }
    const opened = await parallel(5, () => ana.open())
    const ids = opened.flatMap(({ id }) => Array<string>(5).fill(id))
    const outcomes = await Promise.all(ids.map((id) => ana.wrong(id)))
    assert.deepEqual(tally(outcomes), { mismatch: 10, longer: 15 })
    assert.equal(outcomes.filter((one) => one.outcome === 'mismatch' && one.escalated).length, 1)
  },

  async 'of 50 opened at once no more are sent than sends holds'(ana) {
    ana.sends = { capacity: 5, refill: 600 }
    const ids = Array.from({ length: 50 }, fresh)
    const outcomes = await Promise.all(ids.map((id) => ana.ask(null, id)))
    assert.deepEqual(tally(outcomes), { opened: 5, throttled: 45 })
    assert.deepEqual(tally(await Promise.all(ids.map((id) => ana.right(id)))), { redeemed: 5, absent: 45 })
  },

  async 'opened again 50 times at once, a challenge is sent once in its pause'(ana) {
    ana.resend = { capacity: 1, refill: 2 }
    const { id } = await ana.open()
    await ana.wait(2)
    assert.deepEqual(tally(await parallel(50, () => ana.ask(id))), { opened: 1, throttled: 49 })
  },

  async 'of 50 calls at once a bucket of one permit lets one through'(ana) {
    const outcomes = await parallel(50, () => ana.spend('grant', { capacity: 1, refill: 60 }))
    assert.deepEqual(tally(outcomes), { spent: 1, throttled: 49 })
  },

  async 'permits taken and given back at once are all accounted for'(ana) {
    const limit = { capacity: 30, refill: 600 }
    assert.deepEqual(tally(await parallel(20, () => ana.spend('mails', limit))), { spent: 20 })
    const both = await parallel(40, (i) => ana.spend('mails', limit, i % 2 === 0 ? 1 : -1))
    const { spent: taken = 0 } = tally(both.filter((_, i) => i % 2 === 0))
    const { spent: left } = tally(await parallel(40, () => ana.spend('mails', limit)))
    assert.equal(left, 30 - taken)
  },
}
