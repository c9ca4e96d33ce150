import assert from 'node:assert/strict'
import { candidate, type Cases, fresh, is, keyed } from '../harness.js'

const ONCE = { capacity: 1, refill: 60 }

/** What is a name, and when two are the same: character by character, whatever a database compares by default. */
export const names: Cases = {
  async 'users, ids and buckets that differ in case only, or only at the end, are apart'(scene) {
    const ana = scene.other(keyed(fresh()))
    const { id } = await ana.open()
    const bucket = fresh()
    assert.deepEqual(await ana.spend(bucket, ONCE), is.spent)
    for (const user of alike(ana.user)) {
      const ben = scene.other(user)
      assert.deepEqual(await ben.right(id), is.absent)
      assert.deepEqual(await ben.spend(bucket, ONCE), is.spent)
    }
    for (const like of alike(id)) {
      assert.deepEqual(await ana.right(like), is.absent)
      assert.equal((await ana.open(like)).repeated, false)
    }
    for (const like of alike(bucket)) assert.deepEqual(await ana.spend(like, ONCE), is.spent)
    assert.deepEqual(await ana.spend(bucket, ONCE), is.throttled(60))
    assert.deepEqual(await ana.right(id), is.redeemed)
  },

  async 'a digest that differs from the right one in case, in one character or in length is wrong'(ana) {
    ana.attempts = 10
    for (const kind of ['short', 'long'] as const) {
      if (kind === 'long') {
        ana.failures = ONCE
        await ana.wrong((await ana.open()).id)
      }
      const { id } = await ana.open()
      let left = ana.attempts
      for (const digest of alike(candidate(id)[kind])) {
        assert.deepEqual(await ana.type(id, kind, digest), is.wrong(--left))
      }
      assert.deepEqual(await ana.right(id, kind), is.redeemed)
    }
  },

  async 'keys such as __proto__ and constructor are keys like any other'(ana) {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const odd = ana.other(name)
      const { id } = await odd.open()
      assert.deepEqual(await odd.wrong(id), is.wrong(4))
      assert.equal((await odd.open(id)).attemptsLeft, 4)
      assert.deepEqual(await odd.right(id), is.redeemed)
      assert.deepEqual(await odd.right(id), is.absent)
      assert.deepEqual(await ana.open(null, name).then(() => ana.right(name)), is.redeemed)
      assert.deepEqual(await ana.right(name), is.absent)
      const bucket = fresh()
      assert.deepEqual(await odd.spend(bucket, ONCE), is.spent)
      assert.deepEqual(await odd.spend(bucket, ONCE), is.throttled(60))
      assert.deepEqual(await ana.spend(name, ONCE), is.spent)
      assert.deepEqual(await ana.spend(name, ONCE), is.throttled(60))
    }
  },
}

/** What a careless comparison takes for `text`. */
function alike(text: string): string[] {
  const another = (character = ''): string => (character === 'A' ? 'B' : 'A')
  return [
    text.toLowerCase(),
    text.toUpperCase(),
    another(text.at(0)) + text.slice(1),
    text.slice(0, -1) + another(text.at(-1)),
    text.slice(0, -1),
    text.slice(0, 16),
    `${text}A`,
  ]
}
