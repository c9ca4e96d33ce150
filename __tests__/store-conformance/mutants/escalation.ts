import { acceptsAnyway, failuresOf, type Mutant, refund } from './mutant.js'

export const escalation: readonly Mutant[] = [
  {
    fault: 'each challenge has failures of its own',
    noticedBy: 'wrong codes for all challenges of a user empty one bucket',
    make: (good) => {
      const last = new Map<string, string>()
      return {
        async redeem(attempt) {
          const isOther = last.get(attempt.user) !== attempt.id
          last.set(attempt.user, attempt.id)
          if (isOther) await refund(good, failuresOf(attempt), 10)
          return good.redeem(attempt)
        },
      }
    },
  },
  {
    fault: 'the guess that empties failures is not reported',
    noticedBy: 'wrong codes for all challenges of a user empty one bucket',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch' ? { ...redeemed, escalated: false } : redeemed
      },
    }),
  },
  {
    fault: 'disabled short codes are accepted',
    noticedBy: 'while failures is empty, short codes are disabled',
    make: acceptsAnyway('short'),
  },
  {
    fault: 'a right code refills failures',
    noticedBy: 'a right code refunds what its own challenge took and no more',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'redeemed') await refund(good, failuresOf(attempt), 10)
        return redeemed
      },
    }),
  },
]
