import { key, type Mutant, noticesEach, others, shared } from './faulty-store.js'
import type { OpenRequest } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'attempts are read, and written later',
    noticed: 'of 200 wrong codes at once',
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
          await others()
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          left.set(key(attempt), attemptsLeft - 1)
          return { ...redeemed, attemptsLeft: attemptsLeft - 1 }
        },
      }
    },
  },
  {
    fault: 'right codes of one moment share one answer',
    noticed: 'of 100 right codes at once',
    make: (good) => ({ redeem: shared(good.redeem, (attempt) => attempt.digest) }),
  },
  {
    fault: 'buckets are looked at first and taken from later',
    noticed: 'of 50 calls at once a bucket of one permit',
    make: (good) => ({ spend: shared(good.spend, (request) => JSON.stringify(request)) }),
  },
  {
    fault: 'sends are looked at first and taken later',
    noticed: 'of 50 opened at once',
    make: (good) => {
      const look = shared(
        (request: OpenRequest) => good.spend({ user: request.user, bucket: 'looked', ...request.sends }),
        ({ user }) => user,
      )
      return {
        async open(request) {
          const looked = await look(request)
          if (looked.outcome === 'throttled') return { ...looked, bucket: 'sends' }
          return good.open({ ...request, sends: { capacity: 1_000, refill: 1 } })
        },
      }
    },
  },
  {
    fault: 'right long codes of one moment share one answer',
    noticed: 'guesses at a long code race',
    make: (good) => {
      const together = shared(good.redeem, (attempt) => attempt.digest)
      return { redeem: (attempt) => (attempt.kind === 'long' ? together(attempt) : good.redeem(attempt)) }
    },
  },
]

noticesEach(MUTANTS)
