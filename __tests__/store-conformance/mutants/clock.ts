import { key, type Mutant, operationsOf } from './mutant.js'
import { MemoryStore } from '../../../src/stores/memory/memory-store.js'

export const clock: readonly Mutant[] = [
  {
    fault: 'waits are rounded down',
    noticedBy: 'seconds are whole and rounded up',
    make: (good, now) => {
      const fullAt = new Map<string, number>()
      return {
        async spend(request) {
          const spent = await good.spend(request)
          const id = key({ user: request.user, id: request.bucket })
          const refill = request.refill * 1_000
          const full = Math.max(fullAt.get(id) ?? 0, now())
          if (spent.outcome === 'spent') fullAt.set(id, full + refill * (request.permits ?? 1))
          if (spent.outcome === 'spent') return spent
          const wait = full + refill - now() - request.capacity * refill
          return { ...spent, retryAfter: Math.max(1, Math.floor(wait / 1_000)) }
        },
      }
    },
  },
  {
    fault: 'the clock counts whole seconds',
    noticedBy: 'durations are exact at any fraction of a second',
    make: (_, now) => operationsOf(new MemoryStore({ now: () => Math.floor(now() / 1_000) * 1_000 })),
  },
  {
    fault: 'milliseconds have 31 bits',
    noticedBy: 'limits of days are exact',
    make: (good) => ({
      spend: (request) => good.spend({ ...request, refill: Math.min(request.refill, 2 ** 31 / 1_000) }),
    }),
  },
]
