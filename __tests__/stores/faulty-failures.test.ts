import { failuresOf, key, letsInThough, type Mutant, noticesEach } from './faulty-store.js'
import type { Attempt, OpenRequest } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'opening again gives back what the challenge took from failures',
    noticed: 'a right code gives back what its own challenge took and no more',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome === 'opened' && opened.repeated) await good.spend({ ...failuresOf(request), permits: -1 })
        return opened
      },
    }),
  },
  {
    fault: 'once empty, failures stays empty for ever',
    noticed: 'guesses at long codes take nothing, and with half of the capacity',
    make: (good) => {
      const slowly = <T extends Attempt | OpenRequest>(request: T): T => {
        const { capacity, refill } = request.failures
        return { ...request, failures: { capacity, refill: refill * 1_000_000 } }
      }
      return {
        open: (request) => good.open(slowly(request)),
        redeem: (attempt) => good.redeem(slowly(attempt)),
      }
    },
  },
  {
    fault: 'each challenge has failures of its own',
    noticed: 'wrong codes for all challenges of a user empty one bucket',
    make: (good) => {
      const last = new Map<string, string>()
      return {
        async redeem(attempt) {
          const isOther = last.get(attempt.user) !== attempt.id
          last.set(attempt.user, attempt.id)
          for (let i = 0; isOther && i < 10; i++) await good.spend({ ...failuresOf(attempt), permits: -1 })
          return good.redeem(attempt)
        },
      }
    },
  },
  {
    fault: 'wrong long codes are charged to failures',
    noticed: 'guesses at long codes take nothing',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        if (redeemed.outcome === 'mismatch' && attempt.kind === 'long') await good.spend(failuresOf(attempt))
        return redeemed
      },
    }),
  },
  {
    fault: 'nobody is told that failures ran empty',
    noticed: 'wrong codes for all challenges of a user empty one bucket',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch' ? { ...redeemed, escalated: false } : redeemed
      },
    }),
  },
  {
    fault: 'short codes that are void still let in',
    noticed: 'once it is empty, short codes are void',
    make: letsInThough('short'),
  },
  {
    fault: 'guesses at void codes are counted',
    noticed: 'once it is empty, short codes are void and nothing is counted',
    make: (good) => {
      const counted = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome !== 'opened') return opened
          const more = counted.get(key({ ...request, id: opened.id })) ?? 0
          return { ...opened, attemptsLeft: Math.max(0, opened.attemptsLeft - more) }
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'long_code_required') counted.set(key(attempt), (counted.get(key(attempt)) ?? 0) + 1)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'opening again mails the short code although it is void',
    noticed: 'once it is empty, short codes are void',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        return opened.outcome === 'opened' && opened.repeated ? { ...opened, kind: 'short' } : opened
      },
    }),
  },
  {
    fault: 'a right code refills failures',
    noticed: 'a right code gives back what its own challenge took and no more',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        const isRight = redeemed.outcome === 'redeemed'
        for (let i = 0; isRight && i < 10; i++) await good.spend({ ...failuresOf(attempt), permits: -1 })
        return redeemed
      },
    }),
  },
  {
    fault: 'a right code gives nothing back',
    noticed: 'a right code gives back what its own challenge took',
    make: (good) => {
      const taken = new Map<string, number>()
      return {
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          const count = (taken.get(key(attempt)) ?? 0) + 1
          if (attempt.kind === 'short') taken.set(key(attempt), count)
          const isRight = redeemed.outcome === 'redeemed'
          for (let i = 0; isRight && i < count; i++) await good.spend(failuresOf(attempt))
          return redeemed
        },
      }
    },
  },
]

noticesEach(MUTANTS)
