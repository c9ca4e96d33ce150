import assert from 'node:assert/strict'
import { fresh, is, parallel, type Scene, tally } from '../harness.js'

/** One user at two stores that share what they keep, as two processes at one database do. */
export const processes: Readonly<Record<string, (here: Scene, there: Scene) => Promise<void>>> = {
  async 'opened at one store, a challenge is guessed at both and redeemed at the other, once'(here, there) {
    const { id } = await here.open()
    assert.deepEqual(await here.wrong(id), is.wrong(4))
    assert.deepEqual(await there.wrong(id), is.wrong(3))
    assert.deepEqual(await here.wrong(id), is.wrong(2))
    assert.equal((await there.open(id)).attemptsLeft, 2)
    assert.deepEqual(await there.right(id), is.redeemed)
    assert.deepEqual(await here.right(id), is.absent)
    assert.equal((await here.open(id)).repeated, false)
  },

  async 'wrong codes at both stores empty one bucket, and a right one at either gives back'(here, there) {
    here.failures = there.failures = { capacity: 4, refill: 60 }
    const [a, b] = [await here.open(), await there.open()]
    assert.deepEqual(await here.wrong(a.id), is.wrong(4))
    assert.deepEqual(await there.wrong(a.id), is.wrong(3))
    assert.deepEqual(await here.wrong(b.id), is.wrong(4))
    assert.deepEqual(await there.wrong(b.id), is.wrong(3, true))
    assert.deepEqual(await here.right(b.id), is.longer)
    for (const store of [here, there]) assert.equal((await store.open(a.id)).kind, 'long')
    assert.deepEqual(await here.right(a.id, 'long'), is.redeemed)
    for (const store of [there, here]) assert.equal((await store.open()).kind, 'short')
  },

  async 'sends, pauses and other buckets are the same at both stores'(here, there) {
    const once = { capacity: 1, refill: 60 }
    here.resend = there.resend = once
    here.sends = there.sends = { capacity: 2, refill: 60 }
    const { id } = await here.open()
    assert.deepEqual(await there.ask(id), is.refused('resend', 60))
    await there.spend(`resend:${id}`, once, -1)
    assert.equal((await here.open(id)).repeated, true)
    assert.deepEqual(await there.ask(), is.refused('sends', 60))
    assert.deepEqual(await here.spend('grant', once), is.spent)
    assert.deepEqual(await there.spend('grant', once), is.throttled(60))
    await there.spend('grant', once, -1)
    assert.deepEqual(await here.spend('grant', once), is.spent)
    assert.deepEqual(await there.spend('grant', once), is.throttled(60))
  },

  async 'of 100 right codes at both stores at once exactly one is redeemed'(here, there) {
    const { id } = await here.open()
    const outcomes = await parallel(100, (i) => (i % 2 === 0 ? here : there).right(id))
    assert.deepEqual(tally(outcomes), { redeemed: 1, absent: 99 })
  },

  async 'of 100 wrong codes at both stores at once as many are compared as there are attempts'(here, there) {
    const { id } = await here.open()
    const outcomes = await parallel(100, (i) => (i % 2 === 0 ? here : there).wrong(id))
    assert.deepEqual(tally(outcomes), { mismatch: 5, exhausted: 95 })
  },

  async 'wrong codes at both stores at once never take more than failures holds'(here, there) {
    here.failures = there.failures = { capacity: 10, refill: 600 }
    const ids = (await parallel(5, () => here.open())).flatMap(({ id }) => Array<string>(5).fill(id))
    const outcomes = await parallel(25, (i) => (i % 2 === 0 ? here : there).wrong(ids[i] ?? ''))
    assert.deepEqual(tally(outcomes), { mismatch: 10, longer: 15 })
  },

  async 'of 50 calls at both stores at once a bucket lets through what it holds, and so do sends'(here, there) {
    const five = { capacity: 5, refill: 600 }
    here.sends = there.sends = five
    const spent = await parallel(50, (i) => (i % 2 === 0 ? here : there).spend('mails', five))
    assert.deepEqual(tally(spent), { spent: 5, throttled: 45 })
    const opened = await parallel(50, (i) => (i % 2 === 0 ? here : there).ask(null, fresh()))
    assert.deepEqual(tally(opened), { opened: 5, throttled: 45 })
  },
}
