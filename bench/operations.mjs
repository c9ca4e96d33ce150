// Challenges, and operations on them, for any store.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'

/** A limit that is never reached. */
export const UNLIMITED = { capacity: 1_000_000, refill: 60 }

/** A random string as a socket delivers it: flat, one byte per character. */
export const text = (length) =>
  Buffer.from(randomBytes(length).toString('base64url').slice(0, length)).toString('latin1')

/** Challenges that take any number of wrong codes, and operations on them for `compare`. */
export async function operations(store, count = 2_000) {
  const open = ({ user, candidate }) => {
    const limits = { sends: UNLIMITED, resend: UNLIMITED, failures: UNLIMITED }
    return store.open({ user, existing: null, fresh: candidate, lifetime: 600, attempts: 1_000_000_000, ...limits })
  }
  const challenge = () => ({ user: text(27), candidate: { id: text(22), short: text(43), long: text(43) } })
  const guessed = Array.from({ length: count }, challenge)
  const openAll = async (all) => {
    for (let i = 0; i < all.length; i += 50) await Promise.all(all.slice(i, i + 50).map(open))
  }
  await openAll(guessed)
  const redeem = ({ user, candidate }, digest) =>
    store.redeem({ user, id: candidate.id, kind: 'short', digest, failures: UNLIMITED })
  let opened = []
  return {
    /** Opens the guessed challenges again, after the store was emptied. */
    reopen: () => openAll(guessed),
    wrong: { run: (i) => redeem(guessed[i % count], guessed[i % count].candidate.long) },
    right: {
      async before(calls) {
        opened = Array.from({ length: calls }, challenge)
        await openAll(opened)
      },
      run: (i) => redeem(opened[i], opened[i].candidate.short),
    },
    open: {
      before: (calls) => void (opened = Array.from({ length: calls }, challenge)),
      run: (i) => open(opened[i]),
    },
    spend: { run: (i) => store.spend({ user: guessed[i % count].user, bucket: 'sends', ...UNLIMITED }) },
  }
}
