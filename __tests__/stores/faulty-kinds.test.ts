import { letsInThough, type Mutant, noticesEach } from './faulty-store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'a long code that was never mailed is let in',
    noticed: 'a code of the other kind is not compared and not counted',
    make: letsInThough('long'),
  },
  {
    fault: 'a short code is let in in place of the long one, once short codes are back',
    noticed: 'a code of the other kind is not compared and not counted',
    make: (good) => {
      const right = new Set<string>()
      return {
        async open(request) {
          right.add(request.fresh.short)
          return good.open(request)
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'long_code_required' || !right.has(attempt.digest)) return redeemed
          const begin = { id: `probe ${attempt.id}`, short: '', long: '' }
          const roomy = { capacity: 1, refill: 1 }
          const limits = { sends: { capacity: 10_000, refill: 1 }, resend: roomy, failures: attempt.failures }
          const probe = await good.open({
            user: attempt.user,
            existing: null,
            fresh: begin,
            lifetime: 1,
            attempts: 1,
            ...limits,
          })
          return probe.outcome === 'opened' && probe.kind === 'short' ? { outcome: 'redeemed' } : redeemed
        },
      }
    },
  },
  {
    fault: 'long codes are counted at a challenge that has a short one',
    noticed: 'a code of the other kind is not compared and not counted',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'long_code_required' && attempt.kind === 'long') {
          await good.redeem({ ...attempt, kind: 'short', digest: 'wrong' })
        }
        return redeemed
      },
    }),
  },
  {
    fault: 'both digests are let in, whichever was mailed',
    noticed: 'a code of the other kind is not compared and not counted',
    make: (good) => {
      const long = new Map<string, string>()
      return {
        async open(request) {
          for (const one of [request.fresh, request.existing]) if (one) long.set(one.short, one.long)
          return good.open(request)
        },
        redeem: (attempt) =>
          good.redeem(
            attempt.kind === 'long' ? { ...attempt, digest: long.get(attempt.digest) ?? attempt.digest } : attempt,
          ),
      }
    },
  },
]

noticesEach(MUTANTS)
