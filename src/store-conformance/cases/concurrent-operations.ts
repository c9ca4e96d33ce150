import assert from 'node:assert/strict'
import { type Cases, expected, parallel, tally } from '../harness.js'
import type { Limit } from '../../stores/gcra.js'

/** Concurrent operations of different kinds: none overwrites the changes of another. */
export const concurrentOperations: Cases = {
  async 'opening again during wrong guesses grants no more guesses'(user) {
    const { id } = await user.open()
    const guesses = parallel(50, () => user.redeemWrong(id))
    const repeats = parallel(50, () => user.tryOpen(id))
    const [guessed, opened] = await Promise.all([guesses, repeats])
    assert.deepEqual(tally(guessed), { mismatch: 5, exhausted: 45 })
    assert.deepEqual(tally(opened), { opened: 50 })
    assert.deepEqual(await user.redeemRight(id), expected.exhausted)
  },

  async 'a challenge that is opened again during its redemption is redeemed once and stays ended'(user) {
    for (let round = 0; round < 10; round++) {
      const { id } = await user.open()
      const repeats = parallel(10, () => user.tryOpen(id))
      const [redeemed] = await Promise.all([user.redeemRight(id), repeats, parallel(10, () => user.tryOpen(id))])
      assert.deepEqual(redeemed, expected.redeemed)
      assert.deepEqual(await user.redeemRight(id), expected.notFound)
      assert.equal((await user.open(id)).repeated, false)
    }
  },

  async 'concurrent right codes each refund their own failures, and no concurrent wrong code is lost'(user) {
    user.failures = { capacity: 100, refill: 600 }
    const opened = await parallel(14, () => user.open())
    const [right, wrong] = [opened.slice(0, 10), opened.slice(10)]
    await Promise.all(right.map(({ id }) => user.redeemWrong(id)))
    // Alternating, so that each right code has concurrent wrong ones.
    const guesses = [...wrong, ...wrong, ...wrong, ...wrong].flatMap((one, i) => [
      user.redeemWrong(one.id),
      ...right.slice(i, i + 1).map(({ id }) => user.redeemRight(id)),
    ])
    assert.deepEqual(tally(await Promise.all(guesses)), { redeemed: 10, mismatch: 16 })
    // Sixteen permits are taken, so the next one is the last of seventeen.
    user.failures = { capacity: 17, refill: 600 }
    assert.deepEqual(await user.redeemWrong((await user.open()).id), expected.wrong(4, true))
  },

  async 'concurrent sends, wrong codes and other permits are all counted'(user) {
    const roomy = { capacity: 100, refill: 600 }
    Object.assign(user, { sends: roomy, failures: roomy })
    const ids = (await parallel(4, () => user.open())).map(({ id }) => id)
    await Promise.all(
      [...ids, ...ids, ...ids, ...ids].flatMap((id) => [
        user.redeemWrong(id),
        user.tryOpen(),
        user.spend('mails', roomy),
      ]),
    )
    // One permit more than was taken, so exactly one is left.
    const holding = (capacity: number): Limit => ({ capacity, refill: 600 })
    assert.deepEqual(await user.spend('mails', holding(17)), expected.spent)
    assert.deepEqual(await user.spend('mails', holding(17)), expected.throttled(600))
    Object.assign(user, { sends: holding(21), failures: holding(17) })
    const { id } = await user.open()
    assert.deepEqual(await user.tryOpen(), expected.openThrottled('sends', 600))
    assert.deepEqual(await user.redeemWrong(id), expected.wrong(4, true))
  },
}
