import { type Acts, failuresOf, type Fault, giveBack, key, type Mutant, noticesEach, others } from './faulty-store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'each process counts attempts by itself',
    noticed: 'opened at one store, a challenge is guessed at both',
    make: (good) => {
      const used = new Map<string, number>()
      return {
        open: (request) => good.open(request),
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          const before = used.get(key(attempt)) ?? redeemed.attemptsLeft + 1
          used.set(key(attempt), before - 1)
          return { ...redeemed, attemptsLeft: before - 1 }
        },
      }
    },
  },
  {
    fault: 'a process remembers what it opened, and lets its right code in',
    noticed: 'opened at one store, a challenge is guessed at both and redeemed at the other, once',
    make: (good, now) => {
      const live = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome === 'opened' && !opened.repeated)
            live.set(JSON.stringify([request.user, request.fresh.short]), now() + request.lifetime * 1_000)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const id = JSON.stringify([attempt.user, attempt.digest])
          const ends = live.get(id) ?? 0
          if (redeemed.outcome === 'redeemed') live.delete(id)
          return redeemed.outcome === 'not_found' && live.delete(id) && ends > now()
            ? { outcome: 'redeemed' }
            : redeemed
        },
      }
    },
  },
  {
    fault: 'each process has failures of its own',
    noticed: 'wrong codes at both stores empty one bucket',
    make: perProcess((good, isOther) => ({
      async redeem(attempt) {
        if (isOther(attempt.user)) await giveBack(good, failuresOf(attempt), attempt.failures.capacity)
        return good.redeem(attempt)
      },
    })),
  },
  {
    fault: 'each process has sends of its own',
    noticed: 'sends, pauses and other buckets are the same at both stores',
    make: perProcess((good, isOther) => ({
      async open(request) {
        const { user, sends } = request
        if (isOther(user)) await giveBack(good, { user, bucket: 'sends', ...sends }, sends.capacity)
        return good.open(request)
      },
    })),
  },
  {
    fault: 'each process has buckets of its own',
    noticed: 'sends, pauses and other buckets are the same at both stores',
    make: perProcess((good, isOther) => ({
      async spend(request) {
        const { user, bucket, capacity } = request
        if (bucket !== 'sends' && isOther(`${user} ${bucket}`)) await giveBack(good, request, capacity)
        return good.spend(request)
      },
    })),
  },
  {
    fault: 'a lock on a challenge holds in one process only',
    noticed: 'of 100 right codes at both stores at once',
    make: perProcess((good, isOther, racing) => {
      return {
        async redeem(attempt) {
          const isElsewhere = isOther(key(attempt))
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'redeemed') {
            racing.add(attempt.digest)
            void others().then(() => racing.delete(attempt.digest))
          }
          return redeemed.outcome === 'not_found' && isElsewhere && racing.delete(attempt.digest)
            ? { outcome: 'redeemed' }
            : redeemed
        },
      }
    }),
  },
  {
    fault: 'a lock on attempts holds in one process only',
    noticed: 'of 100 wrong codes at both stores at once',
    make: perProcess((good, _, racing) => {
      const compared = new Map<string, number>()
      return {
        async redeem(attempt) {
          const id = key(attempt)
          const redeemed = await good.redeem(attempt)
          const count = compared.get(id) ?? 0
          const isRace = redeemed.outcome === 'exhausted' && racing.has(id) && count < 5
          if (redeemed.outcome !== 'mismatch' && !isRace) return redeemed
          compared.set(id, count + 1)
          racing.add(id)
          void others().then(() => racing.delete(id))
          return isRace ? { outcome: 'mismatch', attemptsLeft: 0, escalated: false } : redeemed
        },
      }
    }),
  },
  {
    fault: 'failures are looked at first and taken from later, by processes that race',
    noticed: 'wrong codes at both stores at once never take more',
    make: perProcess((good, isOther, racing) => ({
      async redeem(attempt) {
        const isElsewhere = isOther(attempt.user)
        if (isElsewhere && racing.has(attempt.user)) await giveBack(good, failuresOf(attempt), 1)
        racing.add(attempt.user)
        void others().then(() => racing.delete(attempt.user))
        return good.redeem(attempt)
      },
    })),
  },
  {
    fault: 'a lock on a bucket holds in one process only',
    noticed: 'of 50 calls at both stores at once',
    make: perProcess((good, isOther, racing) => ({
      async spend(request) {
        const id = key({ user: request.user, id: request.bucket })
        if (isOther(id) && racing.has(id)) await giveBack(good, request, 1)
        racing.add(id)
        void others().then(() => racing.delete(id))
        return good.spend(request)
      },
    })),
  },
]

noticesEach(MUTANTS)

type Apart = (good: Acts, isOther: (name: string) => boolean, racing: Set<string>) => Partial<Acts>

/** Faults between processes: whether another one was the last to touch a name, and what they race for this moment. */
function perProcess(make: Apart): Fault {
  const last = new Map<string, symbol>()
  const racing = new Set<string>()
  return (good) => {
    const self = Symbol()
    const isOther = (name: string): boolean => {
      const before = last.get(name) ?? self
      last.set(name, self)
      return before !== self
    }
    return make(good, isOther, racing)
  }
}
