import { randomUUID } from 'node:crypto'
import { failuresOf, type Fault, key, type Mutant, nextTurn, type Operations, refund } from './mutant.js'

export const multiProcess: readonly Mutant[] = [
  {
    fault: 'each process counts attempts by itself',
    noticedBy: 'a challenge opened at one store is counted at both',
    make: (good) => {
      const left = new Map<string, number>()
      return {
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          const before = left.get(key(attempt)) ?? redeemed.attemptsLeft + 1
          left.set(key(attempt), before - 1)
          return { ...redeemed, attemptsLeft: before - 1 }
        },
      }
    },
  },
  {
    fault: 'each process has failures of its own',
    noticedBy: 'wrong codes at both stores empty one bucket',
    make: perProcess((good, isOther) => ({
      async redeem(attempt) {
        if (isOther(attempt.user)) await refund(good, failuresOf(attempt), attempt.failures.capacity)
        return good.redeem(attempt)
      },
    })),
  },
  {
    fault: 'each process has extra buckets of its own',
    noticedBy: 'of 20 concurrent opens at both stores',
    make: (good) => {
      const suffix = randomUUID()
      return {
        async open({ extraBuckets = [], ...request }) {
          const own = extraBuckets.map((extra) => ({ ...extra, bucket: extra.bucket + suffix }))
          const opened = await good.open({ ...request, extraBuckets: own })
          return opened.outcome === 'throttled' ? { ...opened, bucket: opened.bucket.replace(suffix, '') } : opened
        },
      }
    },
  },
  {
    fault: 'the lock on a challenge works within one process only',
    noticedBy: 'of 100 concurrent right codes at both stores',
    make: perProcess((good, isOther, racing) => ({
      async redeem(attempt) {
        const isElsewhere = isOther(key(attempt))
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'redeemed') {
          racing.add(attempt.digest)
          void nextTurn().then(() => racing.delete(attempt.digest))
        }
        const isRace = redeemed.outcome === 'not_found' && isElsewhere && racing.delete(attempt.digest)
        return isRace ? { outcome: 'redeemed' } : redeemed
      },
    })),
  },
]

type ProcessFault = (good: Operations, isOther: (name: string) => boolean, racing: Set<string>) => Partial<Operations>

/** A fault between processes. `isOther` tells whether another process used a name last; `racing` is shared by all. */
function perProcess(make: ProcessFault): Fault {
  const lastUser = new Map<string, symbol>()
  const racing = new Set<string>()
  return (good) => {
    const self = Symbol()
    const isOther = (name: string): boolean => {
      const before = lastUser.get(name) ?? self
      lastUser.set(name, self)
      return before !== self
    }
    return make(good, isOther, racing)
  }
}
