import { key, type Mutant } from './mutant.js'

export const challenges: readonly Mutant[] = [
  {
    fault: 'a match does not end the challenge',
    noticedBy: 'a new challenge has all of its attempts and is redeemed once',
    make: (good) => {
      const matched = new Set<string>()
      return {
        async redeem(attempt) {
          if (matched.has(attempt.digest)) return { outcome: 'redeemed' }
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'redeemed') matched.add(attempt.digest)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'opening again refills the attempts',
    noticedBy: 'opening a challenge again keeps its id',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'opened' || !opened.repeated || !request.existing) return opened
        const anew = await good.open({ ...request, existing: null, fresh: request.existing })
        return anew.outcome === 'opened' ? { ...anew, repeated: true } : anew
      },
    }),
  },
  {
    fault: 'challenges do not expire',
    noticedBy: 'a challenge expires at the end of its lifetime',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, lifetime: request.lifetime * 1_000 })
        return opened.outcome === 'opened' ? { ...opened, expiresIn: Math.ceil(opened.expiresIn / 1_000) } : opened
      },
    }),
  },
  {
    fault: 'an ended id is opened again',
    noticedBy: 'a redeemed, exhausted or expired challenge is never opened again',
    make: (good) => {
      const begun = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome !== 'opened') return opened
          const { existing, user } = request
          if (opened.repeated || !existing || !begun.has(key({ user, id: existing.id }))) {
            begun.add(key({ user, id: opened.id }))
            return opened
          }
          const revived = await good.open({ ...request, existing: null, fresh: existing })
          return revived.outcome === 'opened' ? { ...revived, repeated: true } : revived
        },
      }
    },
  },
  {
    fault: 'a challenge is found by its id alone',
    noticedBy: 'a challenge is found for its own user only',
    make: (good) => {
      const owners = new Map<string, string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome === 'opened') owners.set(opened.id, request.user)
          return opened
        },
        redeem: (attempt) => good.redeem({ ...attempt, user: owners.get(attempt.id) ?? attempt.user }),
      }
    },
  },
]
