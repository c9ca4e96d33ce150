import assert from 'node:assert/strict'
import { expected, parallel, randomId, type StoreHarness, tally } from '../harness.js'

/** One user at two stores that share a database, as two processes do. */
export const multiProcess: Readonly<Record<string, (first: StoreHarness, second: StoreHarness) => Promise<void>>> = {
  async 'a challenge opened at one store is counted at both and redeemed at the other, once'(first, second) {
    const { id } = await first.open()
    assert.deepEqual(await first.redeemWrong(id), expected.wrong(4))
    assert.deepEqual(await second.redeemWrong(id), expected.wrong(3))
    assert.deepEqual(await first.redeemWrong(id), expected.wrong(2))
    assert.equal((await second.open(id)).attemptsLeft, 2)
    assert.deepEqual(await second.redeemRight(id), expected.redeemed)
    assert.deepEqual(await first.redeemRight(id), expected.notFound)
    assert.equal((await first.open(id)).repeated, false)
  },

  async 'wrong codes at both stores empty one bucket, and a right code at either refunds it'(first, second) {
    first.failures = second.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await first.open(), await second.open()]
    assert.deepEqual(await first.redeemWrong(a.id), expected.wrong(4))
    assert.deepEqual(await second.redeemWrong(a.id), expected.wrong(3))
    assert.deepEqual(await first.redeemWrong(b.id), expected.wrong(4))
    assert.deepEqual(await second.redeemWrong(b.id), expected.wrong(3, true))
    assert.deepEqual(await first.redeemRight(b.id), expected.longCodeRequired)
    for (const store of [first, second]) assert.equal((await store.open(a.id)).kind, 'long')
    assert.deepEqual(await first.redeemRight(a.id, 'long'), expected.redeemed)
    for (const store of [second, first]) assert.equal((await store.open()).kind, 'short')
  },

  async 'sends, resend waits and other buckets are the same at both stores'(first, second) {
    const once = { capacity: 1, refill: 60 }
    first.resend = second.resend = once
    first.sends = second.sends = { capacity: 2, refill: 60 }
    const { id } = await first.open()
    assert.deepEqual(await second.tryOpen(id), expected.openThrottled('resend', 60))
    await second.spend(`resend:${id}`, once, -1)
    assert.equal((await first.open(id)).repeated, true)
    assert.deepEqual(await second.tryOpen(), expected.openThrottled('sends', 60))
    assert.deepEqual(await first.spend('grant', once), expected.spent)
    assert.deepEqual(await second.spend('grant', once), expected.throttled(60))
    await second.spend('grant', once, -1)
    assert.deepEqual(await first.spend('grant', once), expected.spent)
    assert.deepEqual(await second.spend('grant', once), expected.throttled(60))
  },

  async 'of 100 concurrent right codes at both stores exactly one is redeemed'(first, second) {
    const { id } = await first.open()
    const outcomes = await parallel(100, (i) => (i % 2 === 0 ? first : second).redeemRight(id))
    assert.deepEqual(tally(outcomes), { redeemed: 1, not_found: 99 })
  },

  async 'of 100 concurrent wrong codes at both stores as many are compared as there are attempts'(first, second) {
    const { id } = await first.open()
    const outcomes = await parallel(100, (i) => (i % 2 === 0 ? first : second).redeemWrong(id))
    assert.deepEqual(tally(outcomes), { mismatch: 5, exhausted: 95 })
  },

  async 'concurrent wrong codes at both stores never take more than failures holds'(first, second) {
    first.failures = second.failures = { capacity: 10, refill: 600 }
    const ids = (await parallel(5, () => first.open())).flatMap(({ id }) => Array<string>(5).fill(id))
    const outcomes = await parallel(25, (i) => (i % 2 === 0 ? first : second).redeemWrong(ids[i] ?? ''))
    assert.deepEqual(tally(outcomes), { mismatch: 10, long_code_required: 15 })
  },

  async 'of 50 concurrent calls at both stores a bucket allows its capacity, and so does sends'(first, second) {
    const five = { capacity: 5, refill: 600 }
    first.sends = second.sends = five
    const spent = await parallel(50, (i) => (i % 2 === 0 ? first : second).spend('mails', five))
    assert.deepEqual(tally(spent), { spent: 5, throttled: 45 })
    const opened = await parallel(50, (i) => (i % 2 === 0 ? first : second).tryOpen(null, randomId()))
    assert.deepEqual(tally(opened), { opened: 5, throttled: 45 })
  },

  async 'of 20 concurrent opens at both stores one succeeds if an extra bucket allows one'(first, second) {
    first.extraBuckets = second.extraBuckets = [{ bucket: 'codes', capacity: 1, refill: 600, onlyIfFresh: true }]
    const opened = await parallel(20, (i) => (i % 2 === 0 ? first : second).tryOpen())
    assert.deepEqual(tally(opened), { opened: 1, throttled: 19 })
  },
}
