import assert from 'node:assert/strict'
import { type Cases, expected, parallel, randomId, tally } from '../harness.js'
import type { Limit } from '../../stores/gcra.js'
import type { ExtraBucket } from '../../stores/store.js'

/** A limit of one permit that comes back after so many seconds. */
const once = (refill: number) => ({ capacity: 1, refill })

/** The extra buckets of `open`, and a bucket for mails that is named. */
export const extraBuckets: Cases = {
  async 'opening takes a permit from each extra bucket, and spend finds them under their names'(user) {
    user.extraBuckets = [
      { bucket: 'hour', ...once(60) },
      { bucket: 'day', capacity: 2, refill: 60 },
      { bucket: 'week', capacity: 3, refill: 60 },
    ]
    const otherUser = Object.assign(user.other(), { extraBuckets: user.extraBuckets })
    await user.open()
    assert.equal((await otherUser.open()).repeated, false)
    for (const { bucket, capacity, refill } of user.extraBuckets) {
      const limit = { capacity, refill }
      for (let left = capacity - 1; left > 0; left--) assert.deepEqual(await user.spend(bucket, limit), expected.spent)
      assert.deepEqual(await user.spend(bucket, limit), expected.throttled(60))
    }
  },

  async 'an empty list of extra buckets is like none'(user) {
    user.extraBuckets = []
    user.sends = { capacity: 2, refill: 60 }
    const { id } = await user.open()
    assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 60))
  },

  async 'an empty extra bucket refuses to open: no challenge, and no permit from any other bucket'(user) {
    const two = { capacity: 2, refill: 600 }
    user.sends = user.resend = two
    const { id } = await user.open()
    assert.deepEqual(await user.spend('empty', once(30)), expected.spent)
    const [before, after] = ['before', 'after'].map((bucket) => ({ bucket, ...once(60) })) as [ExtraBucket, ExtraBucket]
    user.extraBuckets = [before, { bucket: 'empty', ...once(30) }, after]
    const fresh = randomId()
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(await user.tryOpen(id), expected.openThrottled('empty', 30))
      assert.deepEqual(await user.tryOpen(null, fresh), expected.openThrottled('empty', 30))
    }
    assert.deepEqual(await user.redeemRight(fresh), expected.notFound)
    user.extraBuckets = [before, after]
    assert.equal((await user.open(id)).repeated, true)
    for (const bucket of ['sends', `resend:${id}`])
      assert.deepEqual(await user.spend(bucket, two), expected.throttled(600))
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'a refusal because of sends or the resend wait takes no permit from extra buckets'(user) {
    const two = { capacity: 2, refill: 60 }
    user.extraBuckets = [{ bucket: 'extra', ...two }]
    user.sends = two
    user.resend = once(60)
    const { id } = await user.open()
    for (let times = 0; times < 3; times++)
      assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 60))
    assert.deepEqual(await user.spend('sends', two), expected.spent)
    for (let times = 0; times < 3; times++) assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 60))
    assert.deepEqual(await user.spend('extra', two), expected.spent)
    assert.deepEqual(await user.spend('extra', two), expected.throttled(60))
  },

  async 'of several empty buckets the one with the longest wait is named'(user) {
    const extras = [
      { bucket: 'short', ...once(40) },
      { bucket: 'long', ...once(50) },
    ]
    for (const [sends, resend, name, wait] of [
      [20, 30, 'long', 50],
      [20, 60, 'resend', 60],
      [60, 30, 'sends', 60],
    ] as const) {
      const one = Object.assign(user.other(), { sends: once(sends), resend: once(resend), extraBuckets: extras })
      const { id } = await one.open()
      assert.deepEqual(await one.tryOpen(id), expected.openThrottled(name, wait))
      one.extraBuckets = [...extras].reverse()
      assert.deepEqual(await one.tryOpen(id), expected.openThrottled(name, wait))
    }
  },

  async 'of equal waits resend is named first, then sends, then the extra buckets in their order'(user) {
    const [a, b] = [
      { bucket: 'a', ...once(60) },
      { bucket: 'b', ...once(60) },
    ]
    user.extraBuckets = [b, a]
    user.sends = user.resend = once(60)
    const { id } = await user.open()
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 60))
    user.resend = { capacity: 2, refill: 60 }
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 60))
    user.sends = { capacity: 2, refill: 60 }
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('b', 60))
    user.extraBuckets = [a, b]
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('a', 60))
  },

  async 'an extra bucket has a permit again to the second'(user) {
    user.extraBuckets = [{ bucket: 'extra', ...once(3) }]
    const { id } = await user.open()
    for (let times = 0; times < 5; times++) assert.deepEqual(await user.tryOpen(id), expected.openThrottled('extra', 3))
    await user.wait(2)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('extra', 1))
    await user.wait(1)
    assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('extra', 3))
  },

  async 'a bucket that counts fresh challenges only is neither asked nor taken from when one is repeated'(user) {
    user.attempts = 1
    user.extraBuckets = [{ bucket: 'codes', capacity: 2, refill: 60, onlyIfFresh: true }]
    const { id } = await user.open()
    for (let times = 0; times < 3; times++) assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(0))
    const second = await user.open(id) // the first one is exhausted, so this one is fresh
    assert.equal(second.repeated, false)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('codes', 60))
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('codes', 60))
    assert.equal((await user.open(second.id)).repeated, true)
    user.extraBuckets = [{ bucket: 'codes', capacity: 2, refill: 60, onlyIfFresh: false }]
    assert.deepEqual(await user.tryOpen(second.id), expected.openThrottled('codes', 60))
  },

  async 'a bucket for mails with a name of its own is another one than sends, and is reported as sends'(user) {
    const sends = once(60)
    user.sends = { bucket: 'mails', ...sends }
    const { id } = await user.open()
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 60))
    assert.deepEqual(await user.spend('mails', sends), expected.throttled(60))
    user.sends = sends
    assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.spend('sends', sends), expected.throttled(60))
  },

  async 'permits of a named bucket for mails and of extra buckets can be refunded'(user) {
    const limit = once(60)
    user.sends = { bucket: 'mails', ...limit }
    user.extraBuckets = [
      { bucket: 'hour', ...limit },
      { bucket: 'codes', ...limit, onlyIfFresh: true },
    ]
    await user.open()
    for (const [bucket, name] of [
      ['mails', 'sends'],
      ['hour', 'hour'],
      ['codes', 'codes'],
    ] as const) {
      assert.deepEqual(await user.tryOpen(), expected.openThrottled(name, 60))
      assert.deepEqual(await user.spend(bucket, limit, -1), expected.spent)
    }
    assert.equal((await user.open()).repeated, false)
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 60))
  },

  async 'of 20 concurrent opens one succeeds if a bucket allows one fresh challenge'(user) {
    user.extraBuckets = [{ bucket: 'codes', ...once(600), onlyIfFresh: true }]
    const ids = Array.from({ length: 20 }, randomId)
    const outcomes = await parallel(20, (i) => user.tryOpen(null, ids[i]))
    assert.deepEqual(tally(outcomes), { opened: 1, throttled: 19 })
    assert.deepEqual(tally(await parallel(20, (i) => user.redeemRight(ids[i] ?? ''))), { redeemed: 1, not_found: 19 })
  },

  async 'concurrent opens take all permits or none, whichever bucket is empty'(user) {
    const [five, ten] = [5, 10].map((capacity) => ({ capacity, refill: 600 })) as [Limit, Limit]
    Object.assign(user, {
      sends: ten,
      extraBuckets: [
        { bucket: 'a', ...five },
        { bucket: 'b', ...ten },
      ],
    })
    assert.deepEqual(tally(await parallel(50, () => user.tryOpen())), { opened: 5, throttled: 45 })
    for (const bucket of ['sends', 'b']) {
      const spent = await parallel(20, () => user.spend(bucket, ten))
      assert.deepEqual(tally(spent), { spent: 5, throttled: 15 })
    }
  },
}
