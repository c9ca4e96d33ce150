import assert from 'node:assert/strict'
import { type Cases, expected } from '../harness.js'

const DAY = 86_400

/** Cases about minutes and days, for a clock that can be moved. */
export const longDurations: Cases = {
  async 'a lifetime of ten minutes ends after ten minutes'(user) {
    user.lifetime = 600
    const [early, late] = [await user.open(), await user.open()]
    await user.wait(599)
    assert.deepEqual(await user.redeemRight(early.id), expected.redeemed)
    assert.deepEqual(await user.redeemWrong(late.id), expected.wrong(4))
    assert.equal((await user.open(late.id)).expiresIn, 1)
    await user.wait(1)
    assert.deepEqual(await user.redeemRight(late.id), expected.notFound)
    assert.equal((await user.open(late.id)).repeated, false)
  },

  async 'a resend wait of minutes and buckets of days are exact to the second'(user) {
    const daily = { capacity: 2, refill: DAY }
    user.lifetime = 600
    user.resend = { capacity: 1, refill: 500 }
    const { id } = await user.open()
    await user.wait(499)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 1))
    await user.wait(1)
    assert.equal((await user.open(id)).repeated, true)

    const otherUser = Object.assign(user.other(), { sends: daily })
    for (let times = 0; times < 2; times++) await Promise.all([otherUser.open(), otherUser.spend('mails', daily)])
    await user.wait(DAY - 1)
    assert.deepEqual(await otherUser.tryOpen(), expected.openThrottled('sends', 1))
    assert.deepEqual(await otherUser.spend('mails', daily), expected.throttled(1))
    await user.wait(1)
    assert.equal((await otherUser.open()).repeated, false)
    assert.deepEqual(await otherUser.tryOpen(), expected.openThrottled('sends', DAY))
    assert.deepEqual(await otherUser.spend('mails', daily), expected.spent)
    assert.deepEqual(await otherUser.spend('mails', daily), expected.throttled(DAY))
  },

  async 'a wrong code counts for five days, and short codes stay disabled for twenty-five'(user) {
    user.failures = { capacity: 10, refill: 5 * DAY }
    const [a, b] = [await user.open(), await user.open()]
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await user.redeemWrong(a.id), expected.wrong(left))
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await user.redeemWrong(b.id), expected.wrong(left))
    await user.wait(4 * DAY)
    const { id: last } = await user.open()
    assert.deepEqual(await user.redeemWrong(last), expected.wrong(4, true))
    for (let day = 4; day < 24; day += 5) {
      assert.equal((await user.open()).kind, 'long')
      await user.wait(5 * DAY)
    }
    // A tolerance of a minute: moving the clock of a server so often takes seconds itself.
    await user.wait(DAY - 60)
    assert.equal((await user.open()).kind, 'long')
    await user.wait(60)
    const { id, kind } = await user.open()
    assert.equal(kind, 'short')
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await user.redeemWrong(id), expected.wrong(left, left === 0))
  },
}
