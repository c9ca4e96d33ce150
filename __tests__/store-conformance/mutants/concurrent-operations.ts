import { failuresOf, key, type Mutant, nextTurn, refund } from './mutant.js'

export const concurrentOperations: readonly Mutant[] = [
  {
    fault: 'opening again writes back a challenge that was redeemed meanwhile',
    noticedBy: 'a challenge that is opened again during its redemption',
    make: (good) => {
      const redeemed = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const { existing, user } = request
          if (opened.outcome !== 'opened' || !opened.repeated || !existing) return opened
          await nextTurn()
          const { attemptsLeft: attempts, expiresIn: lifetime } = opened
          if (redeemed.has(key({ user, id: existing.id })))
            await good.open({ ...request, existing: null, fresh: existing, attempts, lifetime })
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
    fault: 'a right code writes back an old value of failures, and concurrent wrong codes are lost',
    noticedBy: 'concurrent right codes each refund their own failures',
    make: (good) => {
      const wrong = new Map<string, number>()
      const count = ({ user }: { user: string }): number => wrong.get(user) ?? 0
      return {
        async redeem(attempt) {
          const before = count(attempt)
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'mismatch') wrong.set(attempt.user, count(attempt) + 1)
          if (redeemed.outcome !== 'redeemed') return redeemed
          await nextTurn()
          const lost = count(attempt) - before
          wrong.set(attempt.user, before)
          await refund(good, failuresOf(attempt), lost)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'opening writes back old values of all buckets, and concurrent wrong codes are lost',
    noticedBy: 'concurrent sends, wrong codes and other permits are all counted',
    make: (good) => {
      const wrong = new Map<string, number>()
      const count = (user: string): number => wrong.get(user) ?? 0
      return {
        async open(request) {
          const before = count(request.user)
          const opened = await good.open(request)
          await nextTurn()
          const lost = count(request.user) - before
          wrong.set(request.user, before)
          await refund(good, failuresOf(request), lost)
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
]
