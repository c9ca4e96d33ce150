import { key, type Mutant, noticesEach } from './faulty-store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'a match does not end the challenge',
    noticed: 'a challenge begins with all its attempts and is redeemed once',
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
    noticed: 'opened again, a challenge keeps its id',
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
    fault: 'opening again extends the lifetime',
    noticed: 'opened again, a challenge keeps its id',
    make: (good, now) => {
      const ends = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open({ ...request, lifetime: request.lifetime * 1_000 })
          if (opened.outcome !== 'opened') return opened
          ends.set(key({ ...request, id: opened.id }), now() + request.lifetime * 1_000)
          return { ...opened, expiresIn: request.lifetime }
        },
        redeem: async (attempt) =>
          (ends.get(key(attempt)) ?? 0) > now() ? good.redeem(attempt) : { outcome: 'not_found' },
      }
    },
  },
  {
    fault: 'one attempt too many',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, attempts: request.attempts + 1 })
        return opened.outcome === 'opened' ? { ...opened, attemptsLeft: opened.attemptsLeft - 1 } : opened
      },
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch'
          ? { ...redeemed, attemptsLeft: Math.max(0, redeemed.attemptsLeft - 1) }
          : redeemed
      },
    }),
  },
  {
    fault: 'the last wrong code is called exhausted',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch' && redeemed.attemptsLeft === 0 ? { outcome: 'exhausted' } : redeemed
      },
    }),
  },
  {
    fault: 'a right code counts although the attempts are used up',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => {
      const right = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          for (const candidate of [request.fresh, request.existing]) if (candidate) right.add(candidate.short)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          return redeemed.outcome === 'exhausted' && right.has(attempt.digest) ? { outcome: 'redeemed' } : redeemed
        },
      }
    },
  },
  {
    fault: 'challenges do not expire',
    noticed: 'a challenge lives as long as it was given',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, lifetime: request.lifetime * 1_000 })
        return opened.outcome === 'opened' ? { ...opened, expiresIn: Math.ceil(opened.expiresIn / 1_000) } : opened
      },
    }),
  },
  {
    fault: 'an ended id is opened anew',
    noticed: 'what was redeemed, used up or has expired never comes back',
    make: (good) => {
      const begun = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome !== 'opened') return opened
          const { existing: repeat, user } = request
          if (opened.repeated || !repeat || !begun.has(key({ user, id: repeat.id }))) {
            begun.add(key({ user, id: opened.id }))
            return opened
          }
          const revived = await good.open({ ...request, existing: null, fresh: repeat })
          return revived.outcome === 'opened' ? { ...revived, repeated: true } : revived
        },
      }
    },
  },
  {
    fault: 'a challenge is found by its id alone',
    noticed: 'a challenge is found by its own user only',
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
  {
    fault: 'every challenge takes five attempts',
    noticed: 'attempts and lifetime are those of the call',
    make: (good) => ({ open: (request) => good.open({ ...request, attempts: 5 }) }),
  },
  {
    fault: 'lifetimes are cut to a minute',
    noticed: 'attempts and lifetime are those of the call',
    make: (good) => ({ open: (request) => good.open({ ...request, lifetime: Math.min(60, request.lifetime) }) }),
  },
  {
    fault: 'what has ended is asked for again, and its pause holds the next one back',
    noticed: 'a challenge begins in place of one that has ended',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, existing: repeat, resend } = request
        if (opened.outcome !== 'opened' || opened.repeated || !repeat) return opened
        const paused = await good.spend({ user, bucket: `resend:${repeat.id}`, ...resend })
        return paused.outcome === 'throttled' ? { ...paused, bucket: 'resend' } : opened
      },
    }),
  },
]

noticesEach(MUTANTS)
