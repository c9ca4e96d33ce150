import assert from 'node:assert/strict'
import { type Cases, is } from '../harness.js'

const DAY = 86_400

/** What shows after minutes or days only: for a clock that can be moved. */
export const days: Cases = {
  async 'a lifetime of ten minutes ends after ten minutes'(ana) {
    ana.lifetime = 600
    const [early, late] = [await ana.open(), await ana.open()]
    await ana.wait(599)
    assert.deepEqual(await ana.right(early.id), is.redeemed)
    assert.deepEqual(await ana.wrong(late.id), is.wrong(4))
    assert.equal((await ana.open(late.id)).expiresIn, 1)
    await ana.wait(1)
    assert.deepEqual(await ana.right(late.id), is.absent)
    assert.equal((await ana.open(late.id)).repeated, false)
  },

  async 'a pause of minutes and buckets of days hold to the second'(ana) {
    const daily = { capacity: 2, refill: DAY }
    ana.lifetime = 600
    ana.resend = { capacity: 1, refill: 500 }
    const { id } = await ana.open()
    await ana.wait(499)
    assert.deepEqual(await ana.ask(id), is.refused('resend', 1))
    await ana.wait(1)
    assert.equal((await ana.open(id)).repeated, true)

    const ben = Object.assign(ana.other(), { sends: daily })
    for (let times = 0; times < 2; times++) await Promise.all([ben.open(), ben.spend('mails', daily)])
    await ana.wait(DAY - 1)
    assert.deepEqual(await ben.ask(), is.refused('sends', 1))
    assert.deepEqual(await ben.spend('mails', daily), is.throttled(1))
    await ana.wait(1)
    assert.equal((await ben.open()).repeated, false)
    assert.deepEqual(await ben.ask(), is.refused('sends', DAY))
    assert.deepEqual(await ben.spend('mails', daily), is.spent)
    assert.deepEqual(await ben.spend('mails', daily), is.throttled(DAY))
  },

  async 'a wrong code is held against its user for five days, and short codes are void for twenty-five'(ana) {
    ana.failures = { capacity: 10, refill: 5 * DAY }
    const [a, b] = [await ana.open(), await ana.open()]
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await ana.wrong(a.id), is.wrong(left))
    for (const left of [4, 3, 2, 1]) assert.deepEqual(await ana.wrong(b.id), is.wrong(left))
    await ana.wait(4 * DAY)
    const { id: last } = await ana.open()
    assert.deepEqual(await ana.wrong(last), is.wrong(4, true))
    for (let day = 4; day < 24; day += 5) {
      assert.equal((await ana.open()).kind, 'long')
      await ana.wait(5 * DAY)
    }
    // A minute to either side: moving a clock so often may itself take seconds.
    await ana.wait(DAY - 60)
    assert.equal((await ana.open()).kind, 'long')
    await ana.wait(60)
    const { id, kind } = await ana.open()
    assert.equal(kind, 'short')
    for (const left of [4, 3, 2, 1, 0]) assert.deepEqual(await ana.wrong(id), is.wrong(left, left === 0))
  },
}
