import { key, type Mutant, nextTurn, sharing } from './mutant.js'

export const races: readonly Mutant[] = [
  {
    fault: 'attempts are read first and written later',
    noticedBy: 'of 200 concurrent wrong codes',
    make: (good) => {
      const left = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open({ ...request, attempts: 1_000 })
          if (opened.outcome !== 'opened') return opened
          const id = key({ ...request, id: opened.id })
          if (!opened.repeated) left.set(id, request.attempts)
          return { ...opened, attemptsLeft: left.get(id) ?? 0 }
        },
        async redeem(attempt) {
          const attemptsLeft = left.get(key(attempt)) ?? 0
          if (attemptsLeft < 1) return { outcome: 'exhausted' }
          await nextTurn()
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          left.set(key(attempt), attemptsLeft - 1)
          return { ...redeemed, attemptsLeft: attemptsLeft - 1 }
        },
      }
    },
  },
  {
    fault: 'concurrent right codes share one outcome',
    noticedBy: 'of 100 concurrent right codes exactly one',
    make: (good) => ({ redeem: sharing(good.redeem, (attempt) => attempt.digest) }),
  },
  {
    fault: 'buckets are read first and taken from later',
    noticedBy: 'of 50 concurrent calls a bucket of one permit',
    make: (good) => ({ spend: sharing(good.spend, (request) => JSON.stringify(request)) }),
  },
]
