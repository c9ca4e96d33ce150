import { key, type Mutant, noticesEach } from './faulty-store.js'

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
]

noticesEach(MUTANTS)
