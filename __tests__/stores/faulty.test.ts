import { setImmediate as turn } from 'node:timers/promises'
import { storeConformance } from '../../src/stores/conformance.js'
import { MemoryStore } from '../../src/stores/memory.js'
import type {
  Attempt,
  BucketRequest,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  SpendOutcome,
} from '../../src/stores/store.js'
import { Clock } from '../helpers/host-app.js'

type Acts = Pick<OtpStore, 'open' | 'redeem' | 'spend'>
/** Gives the acts that a faulty store does otherwise than the good one. */
type Fault = (good: Acts, now: () => number) => Partial<Acts>

interface Mutant {
  /** What is wrong with the store. */
  readonly fault: string
  /** Beginning of a case that must notice. */
  readonly noticed: string
  readonly make: Fault
}

const key = ({ user, id }: { user: string; id: string }): string => JSON.stringify([user, id])
const failuresOf = ({ user, failures }: Attempt | OpenRequest): BucketRequest => ({
  user,
  bucket: 'failures',
  ...failures,
})
/** Waits until all calls of this turn have come in. */
const others = async (): Promise<void> => void (await turn())

/** Lets calls of one moment share one answer, as a cache in front of the store would. */
function shared<Request, Outcome>(act: (request: Request) => Promise<Outcome>, name: (request: Request) => string) {
  const pending = new Map<string, Promise<Outcome>>()
  return (request: Request): Promise<Outcome> => {
    const running = pending.get(name(request)) ?? act(request)
    pending.set(name(request), running)
    void running.finally(() => pending.delete(name(request)))
    return running
  }
}

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'a match does not end the challenge',
    noticed: 'a challenge begins with all its attempts and is redeemed once',
    make: (good) => {
      const matched = new Set<string>()
      return {
        async redeem(attempt) {
          if (matched.has(attempt.digest)) return { outcome: 'redeemed' }
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome === 'redeemed') matched.add(attempt.digest)
          return redeemed
        },
      }
    },
  },
  {
    fault: 'opening again refills the attempts',
    noticed: 'opened again, a challenge keeps its id',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'opened' || !opened.repeated || !request.repeat) return opened
        const anew = await good.open({ ...request, repeat: null, begin: request.repeat })
        return anew.outcome === 'opened' ? { ...anew, repeated: true } : anew
      },
    }),
  },
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
    fault: 'opening again extends the lifetime',
    noticed: 'opened again, a challenge keeps its id',
    make: (good, now) => {
      const ends = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open({ ...request, lifetime: request.lifetime * 1_000 })
          if (opened.outcome !== 'opened') return opened
          ends.set(key({ ...request, id: opened.id }), now() + request.lifetime * 1_000)
          return { ...opened, expiresIn: request.lifetime }
        },
        redeem: async (attempt) =>
          (ends.get(key(attempt)) ?? 0) > now() ? good.redeem(attempt) : { outcome: 'absent' },
      }
    },
  },
  {
    fault: 'one attempt too many',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, attempts: request.attempts + 1 })
        return opened.outcome === 'opened' ? { ...opened, attemptsLeft: opened.attemptsLeft - 1 } : opened
      },
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch'
          ? { ...redeemed, attemptsLeft: Math.max(0, redeemed.attemptsLeft - 1) }
          : redeemed
      },
    }),
  },
  {
    fault: 'the last wrong code is called exhausted',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => ({
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'mismatch' && redeemed.attemptsLeft === 0 ? { outcome: 'exhausted' } : redeemed
      },
    }),
  },
  {
    fault: 'a right code counts although the attempts are used up',
    noticed: 'wrong codes are counted, the last one too',
    make: (good) => {
      const right = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          for (const candidate of [request.begin, request.repeat]) if (candidate) right.add(candidate.short)
          return opened
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          return redeemed.outcome === 'exhausted' && right.has(attempt.digest) ? { outcome: 'redeemed' } : redeemed
        },
      }
    },
  },
  {
    fault: 'challenges do not expire',
    noticed: 'a challenge lives as long as it was given',
    make: (good) => ({
      async open(request) {
        const opened = await good.open({ ...request, lifetime: request.lifetime * 1_000 })
        return opened.outcome === 'opened' ? { ...opened, expiresIn: Math.ceil(opened.expiresIn / 1_000) } : opened
      },
    }),
  },
  {
    fault: 'an ended id is opened anew',
    noticed: 'what was redeemed, used up or has expired never comes back',
    make: (good) => {
      const begun = new Set<string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome !== 'opened') return opened
          const { repeat, user } = request
          if (opened.repeated || !repeat || !begun.has(key({ user, id: repeat.id }))) {
            begun.add(key({ user, id: opened.id }))
            return opened
          }
          const revived = await good.open({ ...request, repeat: null, begin: repeat })
          return revived.outcome === 'opened' ? { ...revived, repeated: true } : revived
        },
      }
    },
  },
  {
    fault: 'a challenge is found by its id alone',
    noticed: 'a challenge is found by its own user only',
    make: (good) => {
      const owners = new Map<string, string>()
      return {
        async open(request) {
          const opened = await good.open(request)
          if (opened.outcome === 'opened') owners.set(opened.id, request.user)
          return opened
        },
        redeem: (attempt) => good.redeem({ ...attempt, user: owners.get(attempt.id) ?? attempt.user }),
      }
    },
  },
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
    fault: 'attempts are read, and written later',
    noticed: 'of 200 wrong codes at once',
    make: (good) => {
      const left = new Map<string, number>()
      return {
        async open(request) {
          const opened = await good.open({ ...request, attempts: 1_000 })
          if (opened.outcome !== 'opened') return opened
          const id = key({ ...request, id: opened.id })
          if (!opened.repeated) left.set(id, request.attempts)
          return { ...opened, attemptsLeft: left.get(id) ?? 0 }
        },
        async redeem(attempt) {
          const attemptsLeft = left.get(key(attempt)) ?? 0
          if (attemptsLeft < 1) return { outcome: 'exhausted' }
          await others()
          const redeemed = await good.redeem(attempt)
          if (redeemed.outcome !== 'mismatch') return redeemed
          left.set(key(attempt), attemptsLeft - 1)
          return { ...redeemed, attemptsLeft: attemptsLeft - 1 }
        },
      }
    },
  },
  {
    fault: 'right codes of one moment share one answer',
    noticed: 'of 100 right codes at once',
    make: (good) => ({ redeem: shared(good.redeem, (attempt) => attempt.digest) }),
  },
  {
    fault: 'buckets are looked at first and taken from later',
    noticed: 'of 50 calls at once a bucket of one permit',
    make: (good) => ({ spend: shared(good.spend, (request) => JSON.stringify(request)) }),
  },
  {
    fault: 'sends are looked at first and taken later',
    noticed: 'of 50 opened at once',
    make: (good) => {
      const look = shared(
        (request: OpenRequest) => good.spend({ user: request.user, bucket: 'looked', ...request.sends }),
        ({ user }) => user,
      )
      return {
        async open(request) {
          const looked = await look(request)
          if (looked.outcome === 'throttled') return { ...looked, bucket: 'sends' }
          return good.open({ ...request, sends: { capacity: 1_000, refill: 1 } })
        },
      }
    },
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
    make: (good) => {
      const right = new Set<string>()
      return {
        async open(request) {
          right.add(request.begin.short)
          return good.open(request)
        },
        async redeem(attempt) {
          const redeemed = await good.redeem(attempt)
          return redeemed.outcome === 'longer' && right.has(attempt.digest) ? { outcome: 'redeemed' } : redeemed
        },
      }
    },
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
          if (redeemed.outcome === 'longer') counted.set(key(attempt), (counted.get(key(attempt)) ?? 0) + 1)
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
  {
    fault: 'giving back gives two',
    noticed: 'giving back puts one permit back',
    make: (good) => ({
      async spend(request) {
        if (request.permits === -1) await good.spend(request)
        return good.spend(request)
      },
    }),
  },
  {
    fault: 'giving back goes above the capacity',
    noticed: 'giving back puts one permit back, and never one above the capacity',
    make: (good) => {
      const credit = new Map<string, number>()
      return {
        async spend(request) {
          const id = key({ user: request.user, id: request.bucket })
          const saved = credit.get(id) ?? 0
          if (request.permits === -1) credit.set(id, saved + 1)
          const spent = request.permits === -1 ? null : await good.spend(request)
          if (spent?.outcome === 'throttled' && saved > 0) credit.set(id, saved - 1)
          return spent?.outcome === 'throttled' && saved < 1 ? spent : { outcome: 'spent' }
        },
      }
    },
  },
  {
    fault: 'a refusal for the pause takes a send',
    noticed: 'within its pause a challenge is not sent again, and a refusal counts nothing',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, sends } = request
        if (opened.outcome === 'throttled' && opened.bucket === 'resend')
          await good.spend({ user, bucket: 'sends', ...sends })
        return opened
      },
    }),
  },
  {
    fault: 'a refused send begins the pause anew',
    noticed: 'a refused send begins nothing, and leaves the pause as it was',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const { user, repeat, resend } = request
        if (opened.outcome === 'throttled' && opened.bucket === 'sends' && repeat)
          await good.spend({ user, bucket: `resend:${repeat.id}`, ...resend })
        return opened
      },
    }),
  },
  {
    fault: 'one pause for all challenges of a user',
    noticed: 'the pause is of one challenge',
    make: (good) => ({
      async open(request) {
        const paused = await good.spend({ user: request.user, bucket: 'pause', ...request.resend })
        return paused.outcome === 'throttled' ? { ...paused, bucket: 'resend' } : good.open(request)
      },
    }),
  },
  {
    fault: 'a refusal does not say for how long',
    noticed: 'an empty bucket tells to the second',
    make: (good) => ({
      async spend(request) {
        const spent = await good.spend(request)
        return spent.outcome === 'throttled' ? ({ outcome: 'throttled' } as SpendOutcome) : spent
      },
    }),
  },
  {
    fault: 'a refused open does not say for how long',
    noticed: 'sends run out',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'throttled') return opened
        return { outcome: 'throttled', bucket: opened.bucket } as OpenOutcome
      },
    }),
  },
  {
    fault: 'a refusal tells the whole refill time, however much of it has passed',
    noticed: 'an empty bucket tells to the second',
    make: (good) => ({
      async spend(request) {
        const spent = await good.spend(request)
        return spent.outcome === 'throttled' ? { ...spent, retryAfter: request.refill } : spent
      },
    }),
  },
  {
    fault: 'all users share their buckets',
    noticed: 'buckets of another name or of another user are apart',
    make: (good) => ({ spend: (request) => good.spend({ ...request, user: 'everybody' }) }),
  },
]

/** Names of the cases that a store fails. */
async function failedBy(make: Fault): Promise<string[]> {
  const clock = new Clock()
  const makeStore = (): OtpStore => {
    const store = new MemoryStore({ now: clock.now })
    const good: Acts = {
      open: (request) => store.open(request),
      redeem: (attempt) => store.redeem(attempt),
      spend: (request) => store.spend(request),
    }
    return { ...good, ...make(good, clock.now), close: () => store.close() }
  }
  const wait = (seconds: number): Promise<void> => {
    clock.tick(seconds)
    return Promise.resolve()
  }
  const failed: string[] = []
  for (const { name, run } of storeConformance(makeStore, { wait })) {
    await run().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'ERR_ASSERTION' })
      failed.push(name)
    })
  }
  return failed
}

test('a store without a fault passes', async () => {
  expect(await failedBy(() => ({}))).toEqual([])
})

test.each(MUTANTS)('the suite notices: $fault', async ({ noticed, make }) => {
  const failed = await failedBy(make)
  expect(failed.filter((name) => name.startsWith(noticed))).toHaveLength(1)
})

test('a fault is noticed by the case about it, not by all of them', async () => {
  const all = storeConformance(() => new MemoryStore()).length
  for (const { make } of MUTANTS) expect((await failedBy(make)).length).toBeLessThan(all / 2)
})

test('a store is closed after each case, also after one that failed', async () => {
  let open = 0
  const makeStore = (): OtpStore => {
    open += 1
    const store = new MemoryStore()
    return {
      open: () => Promise.reject(new Error('down')),
      redeem: (attempt) => store.redeem(attempt),
      spend: (request) => store.spend(request),
      close: async () => {
        await store.close()
        open -= 1
      },
    }
  }
  for (const { run } of storeConformance(makeStore, { wait: () => Promise.resolve() }))
    await run().catch(() => undefined)
  expect(open).toBe(0)
})
