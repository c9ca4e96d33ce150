import assert from 'node:assert/strict'
import { type Cases, is, parallel, tally } from '../harness.js'
import type { Limit } from '../../stores/gcra.js'

/** Acts of different kinds at once: none writes over what another one wrote. */
export const beside: Cases = {
  async 'opening again beside wrong codes buys none'(ana) {
    const { id } = await ana.open()
    const guesses = parallel(50, () => ana.wrong(id))
    const repeats = parallel(50, () => ana.ask(id))
    const [guessed, opened] = await Promise.all([guesses, repeats])
    assert.deepEqual(tally(guessed), { mismatch: 5, exhausted: 45 })
    assert.deepEqual(tally(opened), { opened: 50 })
    assert.deepEqual(await ana.right(id), is.exhausted)
  },

  async 'opened again beside its right code, a challenge is redeemed once and stays ended'(ana) {
    for (let round = 0; round < 10; round++) {
      const { id } = await ana.open()
      const repeats = parallel(10, () => ana.ask(id))
      const [redeemed] = await Promise.all([ana.right(id), repeats, parallel(10, () => ana.ask(id))])
      assert.deepEqual(redeemed, is.redeemed)
      assert.deepEqual(await ana.right(id), is.absent)
      assert.equal((await ana.open(id)).repeated, false)
    }
  },

  async 'right codes beside wrong ones for other challenges each give back their own, and no wrong one is lost'(ana) {
    ana.failures = { capacity: 100, refill: 600 }
    const opened = await parallel(14, () => ana.open())
    const [right, wrong] = [opened.slice(0, 10), opened.slice(10)]
    await Promise.all(right.map(({ id }) => ana.wrong(id)))
    // By turns, so that each right code has wrong ones beside it.
    const guesses = [...wrong, ...wrong, ...wrong, ...wrong].flatMap((one, i) => [
      ana.wrong(one.id),
      ...right.slice(i, i + 1).map(({ id }) => ana.right(id)),
    ])
    assert.deepEqual(tally(await Promise.all(guesses)), { redeemed: 10, mismatch: 16 })
    // Sixteen permits are taken: the seventeenth is the last of seventeen.
    ana.failures = { capacity: 17, refill: 600 }
    assert.deepEqual(await ana.wrong((await ana.open()).id), is.wrong(4, true))
  },

  async 'sends, wrong codes and other permits taken at once are each counted in full'(ana) {
    const roomy = { capacity: 100, refill: 600 }
    Object.assign(ana, { sends: roomy, failures: roomy })
    const ids = (await parallel(4, () => ana.open())).map(({ id }) => id)
    await Promise.all(
      [...ids, ...ids, ...ids, ...ids].flatMap((id) => [ana.wrong(id), ana.ask(), ana.spend('mails', roomy)]),
    )
    // Of each one more than was taken: it holds one.
    const holding = (capacity: number): Limit => ({ capacity, refill: 600 })
    assert.deepEqual(await ana.spend('mails', holding(17)), is.spent)
    assert.deepEqual(await ana.spend('mails', holding(17)), is.throttled(600))
    Object.assign(ana, { sends: holding(21), failures: holding(17) })
    const { id } = await ana.open()
    assert.deepEqual(await ana.ask(), is.refused('sends', 600))
    assert.deepEqual(await ana.wrong(id), is.wrong(4, true))
  },
}
