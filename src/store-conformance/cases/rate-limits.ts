import assert from 'node:assert/strict'
import { type Cases, expected, randomId } from '../harness.js'
import type { Limit } from '../../stores/gcra.js'

/** The buckets `sends` and `resend:<id>`, and any other. */
export const rateLimits: Cases = {
  async 'a challenge is not opened again before its resend wait is over, and a refusal counts nothing'(user) {
    user.resend = { capacity: 1, refill: 3 }
    user.sends = { capacity: 2, refill: 600 }
    const { id } = await user.open()
    for (let times = 0; times < 5; times++)
      assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 3))
    await user.wait(2)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 1))
    await user.wait(1)
    assert.equal((await user.open(id)).attemptsLeft, 5)
    assert.equal((await user.tryOpen()).outcome, 'throttled')
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'the resend wait belongs to one challenge: another one can be opened meanwhile'(user) {
    user.resend = { capacity: 1, refill: 60 }
    const { id } = await user.open()
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 60))
    assert.equal((await user.open()).repeated, false)
  },

  async 'sends run out, whatever they are for, and are refilled one at a time'(user) {
    user.sends = { capacity: 2, refill: 3 }
    const { id } = await user.open()
    await user.open(id)
    for (let times = 0; times < 5; times++) assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 3))
    await user.wait(2)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 1))
    assert.equal((await user.other().open()).kind, 'short')
    await user.wait(1)
    assert.equal((await user.open(id)).repeated, true)
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 3))
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'if both buckets are empty, the outcome names the longer wait'(user) {
    const [long, short] = [
      { capacity: 1, refill: 60 },
      { capacity: 1, refill: 30 },
    ]
    const otherUser = Object.assign(user.other(), { sends: short, resend: long })
    Object.assign(user, { sends: long, resend: short })
    assert.deepEqual(await user.tryOpen((await user.open()).id), expected.openThrottled('sends', 60))
    assert.deepEqual(await otherUser.tryOpen((await otherUser.open()).id), expected.openThrottled('resend', 60))
  },

  async 'a refused send opens nothing and does not change the resend wait'(user) {
    user.sends = { capacity: 1, refill: 2 }
    user.resend = { capacity: 2, refill: 60 }
    const { id } = await user.open()
    const fresh = randomId()
    assert.deepEqual(await user.tryOpen(null, fresh), expected.openThrottled('sends', 2))
    assert.deepEqual(await user.redeemRight(fresh), expected.notFound)
    for (let times = 0; times < 5; times++) assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 2))
    await user.wait(2)
    assert.equal((await user.open(id)).repeated, true)
  },

  async 'the send and the resend wait of a failed mail can be refunded'(user) {
    user.sends = { capacity: 1, refill: 60 }
    user.resend = { capacity: 1, refill: 60 }
    const { id } = await user.open()
    assert.equal((await user.tryOpen(id)).outcome, 'throttled')
    assert.deepEqual(await user.spend('sends', user.sends, -1), expected.spent)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 60))
    assert.deepEqual(await user.spend(`resend:${id}`, user.resend, -1), expected.spent)
    assert.equal((await user.open(id)).repeated, true)
    assert.equal((await user.tryOpen(id)).outcome, 'throttled')
  },

  async 'a refund returns one permit, and never exceeds the capacity'(user) {
    const limit = { capacity: 3, refill: 60 }
    assert.deepEqual(await user.spend('mails', limit, -1), expected.spent)
    for (let times = 0; times < 3; times++) assert.deepEqual(await user.spend('mails', limit, 1), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(60))
    await user.spend('mails', limit, -1)
    assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(60))
    for (let times = 0; times < 9; times++) await user.spend('mails', limit, -1)
    for (let times = 0; times < 3; times++) assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(60))
  },

  async 'an empty bucket reports to the second when it has a permit, and asking does not delay that'(user) {
    const limit = { capacity: 1, refill: 3 }
    assert.deepEqual(await user.spend('mails', limit), expected.spent)
    for (let times = 0; times < 5; times++) assert.deepEqual(await user.spend('mails', limit), expected.throttled(3))
    await user.wait(2)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(1))
    await user.wait(1)
    assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(3))
  },

  async 'buckets of another name or of another user are independent'(user) {
    const limit = { capacity: 1, refill: 60 }
    assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('calls', limit), expected.spent)
    assert.deepEqual(await user.other().spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(60))
  },

  async 'the capacity in a request applies to permits taken before'(user) {
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(await user.spend('mails', { capacity: 3, refill: 60 }), expected.spent)
    }
    const [wide, narrow] = [5, 1].map((capacity) => ({ capacity, refill: 60 })) as [Limit, Limit]
    assert.deepEqual(await user.spend('mails', narrow), expected.throttled(180))
    for (let times = 0; times < 2; times++) assert.deepEqual(await user.spend('mails', wide), expected.spent)
    assert.deepEqual(await user.spend('mails', wide), expected.throttled(60))
  },

  async 'a right code refunds no send'(user) {
    user.sends = { capacity: 2, refill: 60 }
    for (let times = 0; times < 2; times++) {
      const { id } = await user.open()
      await user.redeemWrong(id)
      assert.deepEqual(await user.redeemRight(id), expected.redeemed)
    }
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 60))
  },
}
