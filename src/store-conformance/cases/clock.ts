import assert from 'node:assert/strict'
import { type Cases, is } from '../harness.js'

/** Parts of a second, and days that are no wait away. */
export const time: Cases = {
  async 'seconds are told whole, and never too few'(ana) {
    ana.lifetime = 3
    ana.resend = { capacity: 2, refill: 3 }
    ana.sends = { capacity: 3, refill: 3 }
    const once = { capacity: 1, refill: 3 }
    const { id } = await ana.open()
    await ana.open(id)
    await ana.spend('mails', once)
    await ana.wait(0.6)
    assert.deepEqual(await ana.spend('mails', once), is.throttled(3))
    assert.deepEqual(await ana.ask(id), is.refused('resend', 3))
    ana.resend = { capacity: 9, refill: 3 }
    assert.equal((await ana.open(id)).expiresIn, 3)
    assert.deepEqual(await ana.ask(id), is.refused('sends', 3))
  },

  // From two moments, since a clock of whole seconds is right from one of them.
  async 'a second is a second, whenever it begins'(ana) {
    ana.lifetime = 1
    const once = { capacity: 1, refill: 1 }
    const [early] = [await ana.open(), await ana.spend('early', once)]
    await ana.wait(0.6)
    assert.deepEqual(await ana.spend('early', once), is.throttled(1))
    assert.deepEqual(await ana.right(early.id), is.redeemed)
    const [late] = [await ana.open(), await ana.spend('late', once)]
    await ana.wait(0.6)
    assert.deepEqual(await ana.spend('late', once), is.throttled(1))
    assert.deepEqual(await ana.right(late.id), is.redeemed)
    assert.deepEqual(await ana.spend('early', once), is.spent)
  },

  async 'a bucket that was left alone holds its capacity and no more'(ana) {
    const limit = { capacity: 2, refill: 1 }
    Object.assign(ana, { sends: limit, failures: limit })
    const { id } = await ana.open()
    assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.wrong(id), is.wrong(4))
    await ana.wait(2)
    for (let times = 0; times < 2; times++) assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(1))
    for (let times = 0; times < 2; times++) await ana.open()
    assert.deepEqual(await ana.ask(), is.refused('sends', 1))
    assert.deepEqual(await ana.wrong(id), is.wrong(3))
    assert.deepEqual(await ana.wrong(id), is.wrong(2, true))
  },

  // Ten times five days are more milliseconds than 32 bits hold, and so are thirty days with a sign.
  async 'limits of days count as those of seconds do'(ana) {
    const [tenth, month] = [
      { capacity: 10, refill: 432_000 },
      { capacity: 1, refill: 2_592_000 },
    ]
    assert.deepEqual(await ana.spend('month', month), is.spent)
    assert.deepEqual(await ana.spend('month', month), is.throttled(2_592_000))
    for (let times = 0; times < 10; times++) assert.deepEqual(await ana.spend('tenth', tenth), is.spent)
    assert.deepEqual(await ana.spend('tenth', tenth), is.throttled(432_000))
    ana.sends = ana.failures = tenth
    const ids: string[] = []
    for (let times = 0; times < 10; times++) ids.push((await ana.open()).id)
    assert.deepEqual(await ana.ask(), is.refused('sends', 432_000))
    for (const [i, id] of ids.entries()) assert.deepEqual(await ana.wrong(id), is.wrong(4, i === 9))
    assert.deepEqual(await ana.wrong(ids[0] ?? ''), is.longer)
  },
}
