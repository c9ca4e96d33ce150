import assert from 'node:assert/strict'
import { type Cases, fresh, is } from '../harness.js'
import type { Limit } from '../../stores/gcra.js'

/** Buckets: sends, the pause between two of them, and any other. */
export const limits: Cases = {
  async 'within its pause a challenge is not sent again, and a refusal counts nothing'(ana) {
    ana.resend = { capacity: 1, refill: 3 }
    ana.sends = { capacity: 2, refill: 600 }
    const { id } = await ana.open()
    for (let times = 0; times < 5; times++) assert.deepEqual(await ana.ask(id), is.refused('resend', 3))
    await ana.wait(2)
    assert.deepEqual(await ana.ask(id), is.refused('resend', 1))
    await ana.wait(1)
    assert.equal((await ana.open(id)).attemptsLeft, 5)
    assert.equal((await ana.ask()).outcome, 'throttled')
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'the pause is of one challenge: another may be sent meanwhile'(ana) {
    ana.resend = { capacity: 1, refill: 60 }
    const { id } = await ana.open()
    assert.deepEqual(await ana.ask(id), is.refused('resend', 60))
    assert.equal((await ana.open()).repeated, false)
  },

  async 'sends run out, whatever they are for, and come back one at a time'(ana) {
    ana.sends = { capacity: 2, refill: 3 }
    const { id } = await ana.open()
    await ana.open(id)
    for (let times = 0; times < 5; times++) assert.deepEqual(await ana.ask(), is.refused('sends', 3))
    await ana.wait(2)
    assert.deepEqual(await ana.ask(id), is.refused('sends', 1))
    assert.equal((await ana.other().open()).kind, 'short')
    await ana.wait(1)
    assert.equal((await ana.open(id)).repeated, true)
    assert.deepEqual(await ana.ask(), is.refused('sends', 3))
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'refused twice, the answer names the longer wait'(ana) {
    const [long, short] = [
      { capacity: 1, refill: 60 },
      { capacity: 1, refill: 30 },
    ]
    const ben = Object.assign(ana.other(), { sends: short, resend: long })
    Object.assign(ana, { sends: long, resend: short })
    assert.deepEqual(await ana.ask((await ana.open()).id), is.refused('sends', 60))
    assert.deepEqual(await ben.ask((await ben.open()).id), is.refused('resend', 60))
  },

  async 'a refused send begins nothing, and leaves the pause as it was'(ana) {
    ana.sends = { capacity: 1, refill: 2 }
    ana.resend = { capacity: 2, refill: 60 }
    const { id } = await ana.open()
    const begin = fresh()
    assert.deepEqual(await ana.ask(null, begin), is.refused('sends', 2))
    assert.deepEqual(await ana.right(begin), is.absent)
    for (let times = 0; times < 5; times++) assert.deepEqual(await ana.ask(id), is.refused('sends', 2))
    await ana.wait(2)
    assert.equal((await ana.open(id)).repeated, true)
  },

  async 'the send and the pause of a mail that failed can be given back'(ana) {
    ana.sends = { capacity: 1, refill: 60 }
    ana.resend = { capacity: 1, refill: 60 }
    const { id } = await ana.open()
    assert.equal((await ana.ask(id)).outcome, 'throttled')
    assert.deepEqual(await ana.spend('sends', ana.sends, -1), is.spent)
    assert.deepEqual(await ana.ask(id), is.refused('resend', 60))
    assert.deepEqual(await ana.spend(`resend:${id}`, ana.resend, -1), is.spent)
    assert.equal((await ana.open(id)).repeated, true)
    assert.equal((await ana.ask(id)).outcome, 'throttled')
  },

  async 'giving back puts one permit back, and never one above the capacity'(ana) {
    const limit = { capacity: 3, refill: 60 }
    assert.deepEqual(await ana.spend('mails', limit, -1), is.spent)
    for (let times = 0; times < 3; times++) assert.deepEqual(await ana.spend('mails', limit, 1), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(60))
    await ana.spend('mails', limit, -1)
    assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(60))
    for (let times = 0; times < 9; times++) await ana.spend('mails', limit, -1)
    for (let times = 0; times < 3; times++) assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(60))
  },

  async 'an empty bucket tells to the second when it has a permit again, and asking delays nothing'(ana) {
    const limit = { capacity: 1, refill: 3 }
    assert.deepEqual(await ana.spend('mails', limit), is.spent)
    for (let times = 0; times < 5; times++) assert.deepEqual(await ana.spend('mails', limit), is.throttled(3))
    await ana.wait(2)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(1))
    await ana.wait(1)
    assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(3))
  },

  async 'buckets of another name or of another user are apart'(ana) {
    const limit = { capacity: 1, refill: 60 }
    assert.deepEqual(await ana.spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('calls', limit), is.spent)
    assert.deepEqual(await ana.other().spend('mails', limit), is.spent)
    assert.deepEqual(await ana.spend('mails', limit), is.throttled(60))
  },

  async 'limits are those of the call: what was taken is held against the capacity of now'(ana) {
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(await ana.spend('mails', { capacity: 3, refill: 60 }), is.spent)
    }
    const [wide, narrow] = [5, 1].map((capacity) => ({ capacity, refill: 60 })) as [Limit, Limit]
    assert.deepEqual(await ana.spend('mails', narrow), is.throttled(180))
    for (let times = 0; times < 2; times++) assert.deepEqual(await ana.spend('mails', wide), is.spent)
    assert.deepEqual(await ana.spend('mails', wide), is.throttled(60))
  },

  async 'a right code gives no send back'(ana) {
    ana.sends = { capacity: 2, refill: 60 }
    for (let times = 0; times < 2; times++) {
      const { id } = await ana.open()
      await ana.wrong(id)
      assert.deepEqual(await ana.right(id), is.redeemed)
    }
    assert.deepEqual(await ana.ask(), is.refused('sends', 60))
  },
}
