import { acceptsAnyway, failuresOf, key, type Mutant, refund } from './mutant.js'

export const failureAccounting: readonly Mutant[] = [
  {
    fault: 'guesses at a missing challenge take failures',
    noticedBy: 'guesses at a missing, expired, redeemed or exhausted challenge',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'not_found') await good.spend(failuresOf(attempt))
        return redeemed
      },
    }),
  },
  {
    fault: 'replacing an exhausted challenge refunds its failures',
    noticedBy: 'replacing an exhausted or expired challenge refunds nothing',
    make: (good) => {
      const wrong = new Map<string, number>()
      const exhausted = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          const { user, existing } = request
          const id = existing && key({ user, id: existing.id })
          if (opened.outcome === 'opened' && !opened.repeated && id && exhausted.has(id))
            await refund(good, failuresOf(request), wrong.get(id) ?? 0)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          if (attempt.kind === 'short') wrong.set(key(attempt), (wrong.get(key(attempt)) ?? 0) + 1)
          if (redeemed.attemptsLeft === 0) exhausted.add(key(attempt))
          return redeemed
        },
      }
    },
  },
  {
    fault: 'a long code that was never mailed is accepted',
    noticedBy: 'a code of the other kind is neither compared nor counted',
    make: acceptsAnyway('long'),
  },
]
