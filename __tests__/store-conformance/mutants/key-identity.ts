import type { Mutant } from './mutant.js'
import type { Candidate } from '../../../src/stores/store.js'

export const keyIdentity: readonly Mutant[] = [
  {
    fault: 'keys are properties of a plain object',
    noticedBy: 'keys such as __proto__ and constructor',
    make: (good) => {
      const table: Record<string, unknown> = {}
      return {
        async spend(request) {
          const taken = table[request.bucket] ?? table[request.user]
          return taken === undefined ? good.spend(request) : { outcome: 'throttled', retryAfter: request.refill }
        },
      }
    },
  },
  {
    fault: 'ids are compared without case',
    noticedBy: 'users, ids and buckets that differ only in case',
    make: (good) => {
      const lowerCase = (one: Candidate): Candidate => ({ ...one, id: one.id.toLowerCase() })
      return {
        async open(request) {
          const { existing, fresh } = request
          const opened = await good.open({
            ...request,
            existing: existing && lowerCase(existing),
            fresh: lowerCase(fresh),
          })
          if (opened.outcome === 'throttled') return opened
          return { ...opened, id: opened.repeated && existing ? existing.id : fresh.id }
        },
        redeem: (attempt) => good.redeem({ ...attempt, id: attempt.id.toLowerCase() }),
        spend: (request) =>
          good.spend({ ...request, bucket: request.bucket.replace(/(?<=^resend:).*/, (id) => id.toLowerCase()) }),
      }
    },
  },
  {
    fault: 'a column holds 40 characters of a digest',
    noticedBy: 'a digest that differs from the right one',
    make: (good) => {
      const cut = (one: Candidate): Candidate => ({
        ...one,
        short: one.short.slice(0, 40),
        long: one.long.slice(0, 40),
      })
      return {
        open: (request) =>
          good.open({ ...request, existing: request.existing && cut(request.existing), fresh: cut(request.fresh) }),
        redeem: (attempt) => good.redeem({ ...attempt, digest: attempt.digest.slice(0, 40) }),
      }
    },
  },
]
