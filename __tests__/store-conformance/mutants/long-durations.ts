import { failuresOf, type Mutant, refund } from './mutant.js'

const HOUR_MS = 3_600_000

export const longDurations: readonly Mutant[] = [
  {
    fault: 'lifetimes are cut to a minute but reported in full',
    noticedBy: 'a lifetime of ten minutes ends',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, lifetime: Math.min(60, request.lifetime) })
        const isCut = opened.outcome === 'opened' && !opened.repeated && request.lifetime > 60
        return isCut ? { ...opened, expiresIn: request.lifetime } : opened
      },
    }),
  },
  {
    fault: 'failures are forgotten after an hour',
    noticedBy: 'a wrong code counts for five days',
    make: (good, now) => {
      const lastUse = new Map<string, number>()
      return {
        async redeem(attempt) {
          const { user, failures } = attempt
          const isOld = now() - (lastUse.get(user) ?? now()) > HOUR_MS
          lastUse.set(user, now())
          if (isOld) await refund(good, failuresOf(attempt), failures.capacity)
          return good.redeem(attempt)
        },
      }
    },
  },
]
