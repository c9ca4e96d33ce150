import assert from 'node:assert/strict'
import { candidate, type Cases, expected, fakeDigest, randomId } from '../harness.js'

const ONCE = { capacity: 1, refill: 60 }

/** Keys are compared exactly, whatever the collation of a database. */
export const keyIdentity: Cases = {
  async 'users, ids and buckets that differ only in case or only at the end are different'(anyUser) {
    const user = anyUser.other(fakeDigest(randomId()))
    const { id } = await user.open()
    const bucket = randomId()
    assert.deepEqual(await user.spend(bucket, ONCE), expected.spent)
    for (const userKey of lookalikes(user.userKey)) {
      const otherUser = user.other(userKey)
      assert.deepEqual(await otherUser.redeemRight(id), expected.notFound)
      assert.deepEqual(await otherUser.spend(bucket, ONCE), expected.spent)
    }
    for (const like of lookalikes(id)) {
      assert.deepEqual(await user.redeemRight(like), expected.notFound)
      assert.equal((await user.open(like)).repeated, false)
    }
    for (const like of lookalikes(bucket)) assert.deepEqual(await user.spend(like, ONCE), expected.spent)
    assert.deepEqual(await user.spend(bucket, ONCE), expected.throttled(60))
    assert.deepEqual(await user.redeemRight(id), expected.redeemed)
  },

  async 'a digest that differs from the right one in case, in one character or in length is wrong'(user) {
    user.attempts = 10
    for (const kind of ['short', 'long'] as const) {
      if (kind === 'long') {
        user.failures = ONCE
        await user.redeemWrong((await user.open()).id)
      }
      const { id } = await user.open()
      let left = user.attempts
      for (const digest of lookalikes(candidate(id)[kind])) {
        assert.deepEqual(await user.redeemDigest(id, kind, digest), expected.wrong(--left))
      }
      assert.deepEqual(await user.redeemRight(id, kind), expected.redeemed)
    }
  },

  async 'keys such as __proto__ and constructor are ordinary keys'(user) {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const odd = user.other(name)
      const { id } = await odd.open()
      assert.deepEqual(await odd.redeemWrong(id), expected.wrong(4))
      assert.equal((await odd.open(id)).attemptsLeft, 4)
      assert.deepEqual(await odd.redeemRight(id), expected.redeemed)
      assert.deepEqual(await odd.redeemRight(id), expected.notFound)
      assert.deepEqual(await user.open(null, name).then(() => user.redeemRight(name)), expected.redeemed)
      assert.deepEqual(await user.redeemRight(name), expected.notFound)
      const bucket = randomId()
      assert.deepEqual(await odd.spend(bucket, ONCE), expected.spent)
      assert.deepEqual(await odd.spend(bucket, ONCE), expected.throttled(60))
      assert.deepEqual(await user.spend(name, ONCE), expected.spent)
      assert.deepEqual(await user.spend(name, ONCE), expected.throttled(60))
    }
  },
}

/** Texts that an inexact comparison takes for `text`. */
function lookalikes(text: string): string[] {
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
