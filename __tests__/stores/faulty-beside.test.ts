import { failuresOf, giveBack, key, type Mutant, noticesEach, others } from './faulty-store.js'
import type { Attempt, BucketRequest } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'opening again buys one guess',
    noticed: 'opening again beside wrong codes buys none',
    make: (good) => {
      const used = new Map<string, number>()
      const bought = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open({ ...request, attempts: 1_000 })
          if (opened.outcome !== 'opened') return opened
          const id = key({ ...request, id: opened.id })
          if (opened.repeated) bought.set(id, (bought.get(id) ?? 0) + 1)
          else bought.set(id, request.attempts)
          return { ...opened, attemptsLeft: (bought.get(id) ?? 0) - (used.get(id) ?? 0) }
        },
        async redeem(attempt) {
          const id = key(attempt)
          const left = (bought.get(id) ?? 0) - (used.get(id) ?? 0)
          if (left < 1) return { outcome: 'exhausted' }
          used.set(id, (used.get(id) ?? 0) + 1)
          const redeemed = await good.redeem(attempt)
          return redeemed.outcome === 'mismatch' ? { ...redeemed, attemptsLeft: left - 1 } : redeemed
        },
      }
    },
  },
  {
    fault: 'opening again writes back a challenge that was redeemed meanwhile',
    noticed: 'opened again beside its right code',
    make: (good) => {
      const redeemed = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const { existing: repeat, user } = request
          if (opened.outcome !== 'opened' || !opened.repeated || !repeat) return opened
          await others()
          const { attemptsLeft: attempts, expiresIn: lifetime } = opened
          if (redeemed.has(key({ user, id: repeat.id })))
            await good.open({ ...request, existing: null, fresh: repeat, attempts, lifetime })
          return opened
        },
        async redeem(attempt) {
          const outcome = await good.redeem(attempt)
          if (outcome.outcome === 'redeemed') redeemed.add(key(attempt))
          return outcome
        },
      }
    },
  },
  {
    fault: 'a right code writes failures back as they were, and wrong codes of that moment are lost',
    noticed: 'right codes beside wrong ones for other challenges',
    make: (good) => {
      const wrong = new Map<string, number>()
      const count = ({ user }: Attempt): number => wrong.get(user) ?? 0
      return {
        async redeem(attempt) {
          const before = count(attempt)
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'mismatch') wrong.set(attempt.user, count(attempt) + 1)
          if (redeemed.outcome !== 'redeemed') return redeemed
          await others()
          const lost = count(attempt) - before
          wrong.set(attempt.user, before)
          await giveBack(good, failuresOf(attempt), lost)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'of right codes of one moment only one gives back',
    noticed: 'right codes beside wrong ones for other challenges',
    make: (good) => {
      const taken = new Map<string, number>()
      const busy = new Set<string>()
      return {
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const count = taken.get(key(attempt)) ?? 0
          if (redeemed.outcome === 'mismatch' && attempt.kind === 'short') taken.set(key(attempt), count + 1)
          if (redeemed.outcome !== 'redeemed' || count === 0) return redeemed
          for (let i = 0; busy.has(attempt.user) && i < count; i++) await good.spend(failuresOf(attempt))
          busy.add(attempt.user)
          await others()
          busy.delete(attempt.user)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'opening writes back all that is kept of a user, and wrong codes of that moment are lost',
    noticed: 'sends, wrong codes and other permits taken at once',
    make: (good) => {
      const wrong = new Map<string, number>()
      const count = (user: string): number => wrong.get(user) ?? 0
      return {
        async open(request) {
          const before = count(request.user)
          const opened = await good.open(request)
          await others()
          const lost = count(request.user) - before
          wrong.set(request.user, before)
          await giveBack(good, failuresOf(request), lost)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'mismatch' && attempt.kind === 'short')
            wrong.set(attempt.user, count(attempt.user) + 1)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'a wrong code writes back all that is kept of a user, and permits of that moment are lost',
    noticed: 'sends, wrong codes and other permits taken at once',
    make: (good) => {
      const taken = new Map<string, BucketRequest[]>()
      return {
        async spend(request) {
          const spent = await good.spend(request)
          if (spent.outcome === 'spent') taken.get(request.user)?.push(request)
          return spent
        },
        async redeem(attempt) {
          const lost: BucketRequest[] = []
          taken.set(attempt.user, lost)
          const redeemed = await good.redeem(attempt)
          await others()
          for (const one of lost.splice(0)) await giveBack(good, one, 1)
          taken.delete(attempt.user)
          return redeemed
        },
      }
    },
  },
]

noticesEach(MUTANTS)
