import { type Acts, type Fault, type Mutant, noticesEach } from './faulty-store.js'
import type { Candidate } from '../../src/stores/store.js'

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'keys live in a plain object',
    noticed: 'keys such as __proto__ and constructor',
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
    fault: 'users are compared without case',
    noticed: 'users, ids and buckets that differ in case only',
    make: (good) => naming(good, { user: small }),
  },
  {
    fault: 'ids are compared without case',
    noticed: 'users, ids and buckets that differ in case only',
    make: (good) => naming(good, { id: small }),
  },
  {
    fault: 'buckets are compared without case',
    noticed: 'users, ids and buckets that differ in case only',
    make: (good) => ({
      spend: (request) =>
        good.spend({
          ...request,
          bucket: request.bucket.startsWith('resend:') ? request.bucket : small(request.bucket),
        }),
    }),
  },
  {
    fault: 'a column holds 32 characters of a user',
    noticed: 'users, ids and buckets that differ in case only, or only at the end',
    make: (good) => naming(good, { user: (user) => user.slice(0, 32) }),
  },
  {
    fault: 'digests are compared without case',
    noticed: 'a digest that differs from the right one',
    make: comparing((typed, right) => small(typed) === small(right)),
  },
  {
    fault: 'sixteen characters of a digest are compared',
    noticed: 'a digest that differs from the right one',
    make: comparing((typed, right) => typed.slice(0, 16) === right.slice(0, 16)),
  },
  {
    fault: 'a column holds 40 characters of a digest',
    noticed: 'a digest that differs from the right one',
    make: comparing((typed, right) => typed.slice(0, 40) === right.slice(0, 40)),
  },
  {
    fault: 'a beginning of the right digest matches',
    noticed: 'a digest that differs from the right one',
    make: comparing((typed, right) => right.startsWith(typed)),
  },
  {
    fault: 'what begins with the right digest matches',
    noticed: 'a digest that differs from the right one',
    make: comparing((typed, right) => typed.startsWith(right)),
  },
]

noticesEach(MUTANTS)

function small(name: string): string {
  return name.toLowerCase()
}

/** A store that knows users or ids by another name. */
function naming(good: Acts, { user = itself, id = itself }): Acts {
  const named = (one: Candidate): Candidate => ({ ...one, id: id(one.id) })
  return {
    async open(request) {
      const { existing: repeat, fresh: begin } = request
      const renamed = { user: user(request.user), repeat: repeat && named(repeat), begin: named(begin) }
      const opened = await good.open({ ...request, ...renamed })
      if (opened.outcome === 'throttled') return opened
      return { ...opened, id: opened.repeated && repeat ? repeat.id : begin.id }
    },
    redeem: (attempt) => good.redeem({ ...attempt, user: user(attempt.user), id: id(attempt.id) }),
    spend(request) {
      const bucket = request.bucket.replace(/(?<=^resend:).*/, (known) => id(known))
      return good.spend({ ...request, user: user(request.user), bucket })
    },
  }
}

function itself(name: string): string {
  return name
}

/** A store that has its own way to compare digests. */
function comparing(same: (typed: string, right: string) => boolean): Fault {
  return (good) => {
    const known = new Map<string, Candidate>()
    return {
      open(request) {
        for (const one of [request.fresh, request.existing]) if (one) known.set(one.id, one)
        return good.open(request)
      },
      redeem(attempt) {
        const right = known.get(attempt.id)?.[attempt.kind]
        return good.redeem(right && same(attempt.digest, right) ? { ...attempt, digest: right } : attempt)
      },
    }
  }
}
