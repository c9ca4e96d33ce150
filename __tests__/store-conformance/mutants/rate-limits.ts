import { key, type Mutant } from './mutant.js'
import type { Limit } from '../../../src/stores/gcra.js'

export const rateLimits: readonly Mutant[] = [
  {
    fault: 'a refund exceeds the capacity',
    noticedBy: 'a refund returns one permit, and never exceeds the capacity',
    make: (good) => {
      const credit = new Map<string, number>()
      return {
        async spend(request) {
          const id = key({ user: request.user, id: request.bucket })
          const saved = credit.get(id) ?? 0
          if (request.permits === -1) credit.set(id, saved + 1)
          const spent = request.permits === -1 ? null : await good.spend(request)
          if (spent?.outcome === 'throttled' && saved > 0) credit.set(id, saved - 1)
          return spent?.outcome === 'throttled' && saved < 1 ? spent : { outcome: 'spent' }
        },
      }
    },
  },
  {
    fault: 'a refusal because of the resend wait takes a send',
    noticedBy: 'a challenge is not opened again before its resend wait is over',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, sends } = request
        if (opened.outcome === 'throttled' && opened.bucket === 'resend')
          await good.spend({ user, bucket: 'sends', ...sends })
        return opened
      },
    }),
  },
  {
    fault: 'all challenges of a user have one resend wait',
    noticedBy: 'the resend wait belongs to one challenge',
    make: (good) => ({
      async open(request) {
        const paused = await good.spend({ user: request.user, bucket: 'pause', ...request.resend })
        return paused.outcome === 'throttled' ? { ...paused, bucket: 'resend' } : good.open(request)
      },
    }),
  },
  {
    fault: 'a bucket keeps the limit of its first request',
    noticedBy: 'the capacity in a request applies to permits taken before',
    make: (good) => {
      const first = new Map<string, Limit>()
      return {
        async spend(request) {
          const { user, bucket, capacity, refill } = request
          const limit = first.get(key({ user, id: bucket })) ?? { capacity, refill }
          first.set(key({ user, id: bucket }), limit)
          return good.spend({ ...request, ...limit })
        },
      }
    },
  },
]
