import { setImmediate as turn } from 'node:timers/promises'
import { Clock } from '../helpers/host-app.js'
import { storeConformance } from '../../src/store-conformance/index.js'
import { MemoryStore } from '../../src/stores/memory/memory-store.js'
import type { Attempt, BucketRequest, OpenRequest, OtpStore } from '../../src/stores/store.js'

export type Acts = Pick<OtpStore, 'open' | 'redeem' | 'spend'>
/** Gives the acts that a faulty store does otherwise than the good one; called once for each process. */
export type Fault = (good: Acts, now: () => number) => Partial<Acts>

export interface Mutant {
  /** What is wrong with the store. */
  readonly fault: string
  /** Beginning of a case that must notice. */
  readonly noticed: string
  readonly make: Fault
}

/** Each fault must be noticed by the case about it, and not by most of the others. */
export function noticesEach(mutants: readonly Mutant[]): void {
  const all = storeConformance(() => new MemoryStore(), { shared: true }).length
  test.each(mutants)('the suite notices: $fault', async ({ noticed, make }) => {
    const failed = await failedBy(make)
    expect(failed.filter((name) => name.startsWith(noticed))).toHaveLength(1)
    expect(failed.length).toBeLessThan(all / 2)
  })
}

/** Names of the cases that a store fails; its processes share one memory. */
export async function failedBy(make: Fault): Promise<string[]> {
  const clock = new Clock()
  const good = actsOf(new MemoryStore({ now: clock.now }))
  const wait = (seconds: number): Promise<void> => {
    clock.tick(seconds)
    return Promise.resolve()
  }
  const failed: string[] = []
  for (const { name, run } of storeConformance(() => ({ ...good, ...make(good, clock.now) }), { wait, shared: true })) {
    await run().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'ERR_ASSERTION' })
      failed.push(name)
    })
  }
  return failed
}

export function actsOf(store: OtpStore): Acts {
  return {
    open: (request) => store.open(request),
    redeem: (attempt) => store.redeem(attempt),
    spend: (request) => store.spend(request),
  }
}

export const key = ({ user, id }: { user: string; id: string }): string => JSON.stringify([user, id])

export const failuresOf = ({ user, failures }: Attempt | OpenRequest): BucketRequest => ({
  user,
  bucket: 'failures',
  ...failures,
})

/** Gives permits back, one by one. */
export async function giveBack(good: Acts, request: BucketRequest, permits: number): Promise<void> {
  for (let i = 0; i < permits; i++) await good.spend({ ...request, permits: -1 })
}

/** Lets the right code of one kind in where the answer is `longer`. */
export function letsInThough(kind: 'short' | 'long'): Fault {
  return (good) => {
    const right = new Set<string>()
    return {
      async open(request) {
        right.add(request.fresh[kind])
        return good.open(request)
      },
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        return redeemed.outcome === 'long_code_required' && right.has(attempt.digest)
          ? { outcome: 'redeemed' }
          : redeemed
      },
    }
  }
}

/** Waits until all calls of this turn have come in. */
export const others = async (): Promise<void> => void (await turn())

/** Lets calls of one moment share one answer, as a cache in front of the store would. */
export function shared<Request, Outcome>(
  act: (request: Request) => Promise<Outcome>,
  name: (request: Request) => string,
) {
  const pending = new Map<string, Promise<Outcome>>()
  return (request: Request): Promise<Outcome> => {
    const running = pending.get(name(request)) ?? act(request)
    pending.set(name(request), running)
    void running.finally(() => pending.delete(name(request)))
    return running
  }
}
