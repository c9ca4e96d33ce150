import { giveBack, key, type Mutant, noticesEach } from './faulty-store.js'
import type { Limit } from '../../src/stores/gcra.js'
import type { OpenOutcome, SpendOutcome } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'giving back gives two',
    noticed: 'giving back puts one permit back',
    make: (good) => ({
      async spend(request) {
        if (request.permits === -1) await good.spend(request)
        return good.spend(request)
      },
    }),
  },
  {
    fault: 'giving back goes above the capacity',
    noticed: 'giving back puts one permit back, and never one above the capacity',
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
    fault: 'a refusal for the pause takes a send',
    noticed: 'within its pause a challenge is not sent again, and a refusal counts nothing',
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
    fault: 'a refused send begins the pause anew',
    noticed: 'a refused send begins nothing, and leaves the pause as it was',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, existing: repeat, resend } = request
        if (opened.outcome === 'throttled' && opened.bucket === 'sends' && repeat)
          await good.spend({ user, bucket: `resend:${repeat.id}`, ...resend })
        return opened
      },
    }),
  },
  ...(['sends', 'resend'] as const).map((named): Mutant => ({
    fault: `refused twice, the answer names ${named} always`,
    noticed: 'refused twice, the answer names the longer wait',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, existing: repeat } = request
        if (opened.outcome !== 'throttled' || !repeat) return opened
        const bucket = named === 'sends' ? 'sends' : `resend:${repeat.id}`
        const looked = { user, bucket, ...request[named] }
        const spent = await good.spend(looked)
        if (spent.outcome === 'throttled') return { ...spent, bucket: named }
        await giveBack(good, looked, 1)
        return opened
      },
    }),
  })),
  {
    fault: 'one pause for all challenges of a user',
    noticed: 'the pause is of one challenge',
    make: (good) => ({
      async open(request) {
        const paused = await good.spend({ user: request.user, bucket: 'pause', ...request.resend })
        return paused.outcome === 'throttled' ? { ...paused, bucket: 'resend' } : good.open(request)
      },
    }),
  },
  {
    fault: 'a refusal does not say for how long',
    noticed: 'an empty bucket tells to the second',
    make: (good) => ({
      async spend(request) {
        const spent = await good.spend(request)
        return spent.outcome === 'throttled' ? ({ outcome: 'throttled' } as SpendOutcome) : spent
      },
    }),
  },
  {
    fault: 'a refused open does not say for how long',
    noticed: 'sends run out',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'throttled') return opened
        return { outcome: 'throttled', bucket: opened.bucket } as OpenOutcome
      },
    }),
  },
  {
    fault: 'a refusal tells the whole refill time, however much of it has passed',
    noticed: 'an empty bucket tells to the second',
    make: (good) => ({
      async spend(request) {
        const spent = await good.spend(request)
        return spent.outcome === 'throttled' ? { ...spent, retryAfter: request.refill } : spent
      },
    }),
  },
  {
    fault: 'all users share their buckets',
    noticed: 'buckets of another name or of another user are apart',
    make: (good) => ({ spend: (request) => good.spend({ ...request, user: 'everybody' }) }),
  },
  {
    fault: 'a right code refills sends',
    noticed: 'a right code gives no send back',
    make: (good) => {
      const sends = new Map<string, Limit>()
      return {
        async open(request) {
          sends.set(request.user, request.sends)
          return good.open(request)
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const [{ user }, limit] = [attempt, sends.get(attempt.user)]
          if (redeemed.outcome === 'redeemed' && limit) await giveBack(good, { user, bucket: 'sends', ...limit }, 10)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'a bucket keeps the limit of its first call',
    noticed: 'limits are those of the call: what was taken',
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

noticesEach(MUTANTS)
