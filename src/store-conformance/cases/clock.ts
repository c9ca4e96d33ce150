import assert from 'node:assert/strict'
import { type Cases, expected } from '../harness.js'

/** Fractions of a second, and large durations. */
export const clock: Cases = {
  async 'seconds are whole and rounded up'(user) {
    user.lifetime = 3
    user.resend = { capacity: 2, refill: 3 }
    user.sends = { capacity: 3, refill: 3 }
    const once = { capacity: 1, refill: 3 }
    const { id } = await user.open()
    await user.open(id)
    await user.spend('mails', once)
    await user.wait(0.6)
    assert.deepEqual(await user.spend('mails', once), expected.throttled(3))
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('resend', 3))
    user.resend = { capacity: 9, refill: 3 }
    assert.equal((await user.open(id)).expiresIn, 3)
    assert.deepEqual(await user.tryOpen(id), expected.openThrottled('sends', 3))
  },

  // Starts at two fractions of a second: a clock of whole seconds is right for one of them.
  async 'durations are exact at any fraction of a second'(user) {
    user.lifetime = 1
    const once = { capacity: 1, refill: 1 }
    const [early] = [await user.open(), await user.spend('early', once)]
    await user.wait(0.6)
    assert.deepEqual(await user.spend('early', once), expected.throttled(1))
    assert.deepEqual(await user.redeemRight(early.id), expected.redeemed)
    const [late] = [await user.open(), await user.spend('late', once)]
    await user.wait(0.6)
    assert.deepEqual(await user.spend('late', once), expected.throttled(1))
    assert.deepEqual(await user.redeemRight(late.id), expected.redeemed)
    assert.deepEqual(await user.spend('early', once), expected.spent)
  },

  async 'an idle bucket fills to its capacity and no further'(user) {
    const limit = { capacity: 2, refill: 1 }
    Object.assign(user, { sends: limit, failures: limit })
    const { id } = await user.open()
    assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4))
    await user.wait(2)
    for (let times = 0; times < 2; times++) assert.deepEqual(await user.spend('mails', limit), expected.spent)
    assert.deepEqual(await user.spend('mails', limit), expected.throttled(1))
    for (let times = 0; times < 2; times++) await user.open()
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 1))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(3))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(2, true))
  },

  // Ten times five days exceed 32 bits of milliseconds; thirty days exceed 31.
  async 'limits of days are exact'(user) {
    const [tenth, month] = [
      { capacity: 10, refill: 432_000 },
      { capacity: 1, refill: 2_592_000 },
    ]
    assert.deepEqual(await user.spend('month', month), expected.spent)
    assert.deepEqual(await user.spend('month', month), expected.throttled(2_592_000))
    for (let times = 0; times < 10; times++) assert.deepEqual(await user.spend('tenth', tenth), expected.spent)
    assert.deepEqual(await user.spend('tenth', tenth), expected.throttled(432_000))
    user.sends = user.failures = tenth
    const ids: string[] = []
    for (let times = 0; times < 10; times++) ids.push((await user.open()).id)
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 432_000))
    for (const [i, id] of ids.entries()) assert.deepEqual(await user.redeemWrong(id), expected.wrong(4, i === 9))
    assert.deepEqual(await user.redeemWrong(ids[0] ?? ''), expected.longCodeRequired)
  },
}
