import { failuresOf, giveBack, key, type Mutant, noticesEach } from './faulty-store.js'
import type { Attempt, OpenRequest } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'guesses at what is absent are charged to failures',
    noticed: 'guesses at what is absent, has expired, was redeemed or used up',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'not_found') await good.spend(failuresOf(attempt))
        return redeemed
      },
    }),
  },
  {
    fault: 'guesses at what is used up are charged to failures',
    noticed: 'guesses at what is absent, has expired, was redeemed or used up',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'exhausted') await good.spend(failuresOf(attempt))
        return redeemed
      },
    }),
  },
  ...(['used up', 'expired'] as const).map((end): Mutant => ({
    fault: `asked for again, what is ${end} gives back what it took`,
    noticed: 'asked for again, a challenge that was used up or has expired gives nothing back',
    make: (good) => {
      const taken = new Map<string, { wrong: number; left: number }>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const { user, existing: repeat } = request
          const ended = repeat && taken.get(key({ user, id: repeat.id }))
          if (opened.outcome !== 'opened' || opened.repeated || !ended) return opened
          if ((end === 'used up') === (ended.left === 0)) await giveBack(good, failuresOf(request), ended.wrong)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const { wrong } = taken.get(key(attempt)) ?? { wrong: 0 }
          if (redeemed.outcome === 'redeemed') taken.delete(key(attempt))
          if (redeemed.outcome !== 'mismatch') return redeemed
          taken.set(key(attempt), { wrong: wrong + (attempt.kind === 'short' ? 1 : 0), left: redeemed.attemptsLeft })
          return redeemed
        },
      }
    },
  })),
  {
    fault: 'a right long code gives back the wrong long ones too',
    noticed: 'a right long code gives back the wrong short ones',
    make: (good) => {
      const wrong = new Map<string, number>()
      return {
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const count = wrong.get(key(attempt)) ?? 0
          if (attempt.kind === 'long' && redeemed.outcome === 'mismatch') wrong.set(key(attempt), count + 1)
          if (redeemed.outcome === 'redeemed') await giveBack(good, failuresOf(attempt), count)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'a right code fills failures above the capacity',
    noticed: 'a right code gives back nothing that has come back by itself',
    make: (good, now) => {
      const taken = new Map<string, number>()
      const full = new Map<string, number>()
      const above = new Map<string, number>()
      const wider = <T extends Attempt | OpenRequest>(request: T): T => {
        const { capacity, refill } = request.failures
        return { ...request, failures: { capacity: capacity + (above.get(request.user) ?? 0), refill } }
      }
      return {
        open: (request) => good.open(wider(request)),
        async redeem(attempt) {
          const redeemed = await good.redeem(wider(attempt))
          const { user, failures, kind } = attempt
          const [wrong, refill] = [taken.get(key(attempt)) ?? 0, failures.refill * 1_000]
          if (redeemed.outcome === 'mismatch' && kind === 'short') {
            taken.set(key(attempt), wrong + 1)
            full.set(user, Math.max(full.get(user) ?? 0, now()) + refill)
          }
          if (redeemed.outcome !== 'redeemed' || wrong === 0) return redeemed
          const back = (full.get(user) ?? 0) - wrong * refill
          above.set(user, Math.max(0, Math.floor((now() - back) / refill)))
          full.set(user, Math.max(back, now()))
          return redeemed
        },
      }
    },
  },
  {
    fault: 'half of one permit is never back',
    noticed: 'of five permits two are too few',
    make: (good) => {
      const empty = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          return opened.outcome === 'opened' && empty.has(request.user) ? { ...opened, kind: 'long' } : opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const isLast = redeemed.outcome === 'mismatch' && redeemed.escalated
          if (isLast && attempt.failures.capacity === 1) empty.add(attempt.user)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'a void code that is typed begins the wait for short ones anew',
    noticed: 'void codes that are typed meanwhile',
    make: (good, now) => {
      const until = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const isLong = opened.outcome === 'opened' && now() < (until.get(request.user) ?? 0)
          return isLong ? { ...opened, kind: 'long' } : opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const { user, kind, failures } = attempt
          if (redeemed.outcome === 'redeemed') until.delete(user)
          if (redeemed.outcome === 'long_code_required' && kind === 'short')
            until.set(user, now() + Math.floor(failures.capacity / 2) * failures.refill * 1_000)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'short codes are back with half of the capacity, rounded down',
    noticed: 'of five permits two are too few',
    make: (good) => {
      const back = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const half = Math.floor(request.failures.capacity / 2)
          const isEarly = half > 0 && request.failures.capacity % 2 === 1 && (back.get(request.user) ?? 0) >= half
          return opened.outcome === 'opened' && !opened.repeated && isEarly ? { ...opened, kind: 'short' } : opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'redeemed') back.set(attempt.user, (back.get(attempt.user) ?? 0) + 1)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'failures cannot be given back one by one',
    noticed: 'failures that are given back one by one',
    make: (good) => ({
      spend: (request) =>
        request.bucket === 'failures' && request.permits === -1
          ? Promise.resolve({ outcome: 'spent' })
          : good.spend(request),
    }),
  },
  {
    fault: 'a failures bucket that was empty once is taken for one that half is missing of, for ever',
    noticed: 'once all of its permits are back',
    make: (good) => {
      const empty = new Set<string>()
      const taken = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const isVoid = taken.has(request.user)
          return opened.outcome === 'opened' && isVoid ? { ...opened, kind: 'long' } : opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'mismatch' && redeemed.escalated) empty.add(attempt.user)
          return redeemed
        },
        async spend(request) {
          if (request.bucket === 'failures' && request.permits !== -1 && empty.has(request.user))
            taken.add(request.user)
          return good.spend(request)
        },
      }
    },
  },
]

noticesEach(MUTANTS)
