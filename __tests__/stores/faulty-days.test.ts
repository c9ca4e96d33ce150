import { failuresOf, giveBack, key, type Mutant, noticesEach } from './faulty-store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'lifetimes over a minute never end, though they are told right',
    noticed: 'a lifetime of ten minutes ends',
    make: (good, now) => {
      const ends = new Map<string, number>()
      return {
        async open(request) {
          const lifetime = request.lifetime > 60 ? request.lifetime * 1_000 : request.lifetime
          const opened = await good.open({ ...request, lifetime })
          if (opened.outcome !== 'opened') return opened
          const id = key({ ...request, id: opened.id })
          if (!opened.repeated) ends.set(id, now() + request.lifetime * 1_000)
          return { ...opened, expiresIn: Math.max(1, Math.ceil(((ends.get(id) ?? 0) - now()) / 1_000)) }
        },
      }
    },
  },
  {
    fault: 'lifetimes are cut to a minute, though they are told right',
    noticed: 'a lifetime of ten minutes ends',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, lifetime: Math.min(60, request.lifetime) })
        const isCut = opened.outcome === 'opened' && !opened.repeated && request.lifetime > 60
        return isCut ? { ...opened, expiresIn: request.lifetime } : opened
      },
    }),
  },
  {
    fault: 'buckets are forgotten after an hour',
    noticed: 'a pause of minutes and buckets of days hold',
    make: (good, now) => {
      const isOld = anHourOld(now)
      return {
        async spend(request) {
          if (isOld(`${request.user} ${request.bucket}`)) await giveBack(good, request, request.capacity)
          return good.spend(request)
        },
      }
    },
  },
  {
    fault: 'sends are forgotten after an hour',
    noticed: 'a pause of minutes and buckets of days hold',
    make: (good, now) => {
      const isOld = anHourOld(now)
      return {
        async open(request) {
          const { user, sends } = request
          if (isOld(user)) await giveBack(good, { user, bucket: 'sends', ...sends }, sends.capacity)
          return good.open(request)
        },
      }
    },
  },
  {
    fault: 'failures are forgotten after an hour',
    noticed: 'a wrong code is held against its user for five days',
    make: (good, now) => {
      const isOld = anHourOld(now)
      return {
        async redeem(attempt) {
          if (isOld(attempt.user)) await giveBack(good, failuresOf(attempt), attempt.failures.capacity)
          return good.redeem(attempt)
        },
      }
    },
  },
  {
    fault: 'short codes are back after a day',
    noticed: 'a wrong code is held against its user for five days',
    make: (good, now) => {
      const since = new Map<string, number>()
      const isOver = ({ user }: { user: string }): boolean => now() - (since.get(user) ?? now()) >= 86_400_000
      return {
        async open(request) {
          const opened = await good.open(request)
          return opened.outcome === 'opened' && isOver(request) ? { ...opened, kind: 'short' } : opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'mismatch' && redeemed.escalated) since.set(attempt.user, now())
          return redeemed
        },
      }
    },
  },
]

noticesEach(MUTANTS)

/** Tells that something was last asked about more than an hour ago. */
function anHourOld(now: () => number): (name: string) => boolean {
  const last = new Map<string, number>()
  return (name) => {
    const before = last.get(name) ?? now()
    last.set(name, now())
    return now() - before > 3_600_000
  }
}
