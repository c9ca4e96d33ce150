// Challenges, and acts on them, for any store.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'

/** A limit that is never reached. */
export const WIDE = { capacity: 1_000_000, refill: 60 }

/** As strings come off the wire: flat, one byte a character. */
export const text = (length) =>
  Buffer.from(randomBytes(length).toString('base64url').slice(0, length)).toString('latin1')

/** Challenges that take any number of wrong codes, and acts on them. */
export async function acts(store, count = 2_000) {
  const open = (begin, user = text(27)) => {
    const limits = { sends: WIDE, resend: WIDE, failures: WIDE }
    return store.open({ user, repeat: null, begin, lifetime: 600, attempts: 1_000_000_000, ...limits })
  }
  const fresh = () => ({ user: text(27), begin: { id: text(22), short: text(43), long: text(43) } })
  const typed = Array.from({ length: count }, fresh)
  const openAll = async (all) => {
    for (let i = 0; i < all.length; i += 50)
      await Promise.all(all.slice(i, i + 50).map((one) => open(one.begin, one.user)))
  }
  await openAll(typed)
  const redeem = ({ user, begin }, digest) =>
    store.redeem({ user, id: begin.id, kind: 'short', digest, failures: WIDE })
  let opened = []
  return {
    /** For a store that was emptied: what is guessed at is there again. */
    again: () => openAll(typed),
    wrong: { act: (i) => redeem(typed[i % count], typed[i % count].begin.long) },
    right: {
      async before(calls) {
        opened = Array.from({ length: calls }, fresh)
        await openAll(opened)
      },
      act: (i) => redeem(opened[i], opened[i].begin.short),
    },
    open: {
      before: (calls) => void (opened = Array.from({ length: calls }, fresh)),
      act: (i) => open(opened[i].begin, opened[i].user),
    },
    spend: { act: (i) => store.spend({ user: typed[i % count].user, bucket: 'sends', ...WIDE }) },
  }
}
