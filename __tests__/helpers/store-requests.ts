import type { Attempt, BucketRequest, OpenRequest, OtpStore } from '../../src/stores/store.js'

/** A limit that no test reaches. */
export const LIMIT = { capacity: 100, refill: 60 }

/** Opens a fresh challenge whose digests are `short <id>` and `long <id>`. */
export const opening = (user: string, id: string): OpenRequest => ({
  user,
  existing: null,
  fresh: { id, short: `short ${id}`, long: `long ${id}` },
  lifetime: 600,
  attempts: 5,
  sends: LIMIT,
  resend: LIMIT,
  failures: LIMIT,
})

export const attempt = (user: string, id: string, digest: string): Attempt => {
  return { user, id, kind: 'short', digest, failures: LIMIT }
}

export const spending: BucketRequest = { user: 'ana', bucket: 'mails', ...LIMIT }

/** Each operation of a store by its name. */
export const operations: [name: string, run: (store: OtpStore) => Promise<unknown>][] = [
  ['open', (store) => store.open(opening('ana', 'a'))],
  ['redeem', (store) => store.redeem(attempt('ana', 'a', 'x'))],
  ['spend', (store) => store.spend(spending)],
]
