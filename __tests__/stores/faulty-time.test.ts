import { actsOf, key, type Mutant, noticesEach } from './faulty-store.js'
import type { Limit } from '../../src/stores/gcra.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'waits are told in seconds rounded down',
    noticed: 'seconds are told whole, and never too few',
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
    fault: 'what is left of a lifetime is told rounded to the nearest second',
    noticed: 'seconds are told whole, and never too few',
    make: (good, now) => {
      const ends = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome !== 'opened') return opened
          const id = key({ ...request, id: opened.id })
          if (!opened.repeated) ends.set(id, now() + request.lifetime * 1_000)
          return { ...opened, expiresIn: Math.max(1, Math.round(((ends.get(id) ?? 0) - now()) / 1_000)) }
        },
      }
    },
  },
  ...(['floor', 'round', 'ceil'] as const).map((whole): Mutant => ({
    fault: `the clock counts whole seconds (${whole})`,
    noticed: 'a second is a second, whenever it begins',
    make: (_, now) => actsOf(new MemoryStore({ now: () => Math[whole](now() / 1_000) * 1_000 })),
  })),
  {
    fault: 'a bucket that is left alone saves up above its capacity',
    noticed: 'a bucket that was left alone',
    make: (good, now) => {
      const [fullAt, above] = [new Map<string, number>(), new Map<string, number>()]
      return {
        async spend(request) {
          const { user, bucket, capacity, refill, permits = 1 } = request
          const id = key({ user, id: bucket })
          const full = fullAt.get(id) ?? now()
          const saved = Math.max(above.get(id) ?? 0, Math.floor((now() - full) / 1_000 / refill))
          above.set(id, saved)
          const spent = await good.spend({ ...request, capacity: capacity + saved })
          if (spent.outcome === 'spent' && permits === 1) fullAt.set(id, full + refill * 1_000)
          return spent
        },
      }
    },
  },
  {
    fault: 'failures that are left alone save up above their capacity',
    noticed: 'a bucket that was left alone',
    make: (good, now) => {
      const last = new Map<string, number>()
      return {
        async redeem(attempt) {
          const { capacity, refill } = attempt.failures
          const idle = Math.floor((now() - (last.get(attempt.user) ?? now())) / 1_000 / refill)
          if (idle < capacity) last.set(attempt.user, now())
          return good.redeem(idle < capacity ? attempt : { ...attempt, failures: { capacity: capacity + 1, refill } })
        },
      }
    },
  },
  {
    fault: 'milliseconds have 31 bits',
    noticed: 'limits of days count as those of seconds do',
    make: (good) => ({
      spend: (request) => good.spend({ ...request, refill: Math.min(request.refill, 2 ** 31 / 1_000) }),
    }),
  },
  {
    fault: 'what a bucket holds is at most 32 bits of milliseconds',
    noticed: 'limits of days count as those of seconds do',
    make: (good) => {
      const cut = ({ capacity, refill }: Limit): Limit => {
        const most = Math.max(1, Math.floor(2 ** 32 / 1_000 / refill))
        return { capacity: Math.min(capacity, most), refill }
      }
      return {
        open: (request) => good.open({ ...request, failures: cut(request.failures) }),
        redeem: (attempt) => good.redeem({ ...attempt, failures: cut(attempt.failures) }),
      }
    },
  },
]

noticesEach(MUTANTS)
