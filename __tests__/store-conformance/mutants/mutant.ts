import { setImmediate as turn } from 'node:timers/promises'
import type { Attempt, BucketRequest, OpenRequest, OtpStore } from '../../../src/stores/store.js'

export type Operations = Pick<OtpStore, 'open' | 'redeem' | 'spend'>

/** Returns the operations that differ from those of the correct store. Called once per process. */
export type Fault = (good: Operations, now: () => number) => Partial<Operations>

/** A deliberately broken store. */
export interface Mutant {
  readonly fault: string
  /** The beginning of the title of a case that must fail. */
  readonly noticedBy: string
  readonly make: Fault
}

export function operationsOf(store: OtpStore): Operations {
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

export async function refund(good: Operations, request: BucketRequest, permits: number): Promise<void> {
  for (let i = 0; i < permits; i++) await good.spend({ ...request, permits: -1 })
}

/** Accepts the right code of one kind where the correct store requires a long code. */
export function acceptsAnyway(kind: 'short' | 'long'): Fault {
  return (good) => {
    const right = new Set<string>()
    return {
      async open(request) {
        right.add(request.fresh[kind])
        return good.open(request)
      },
      async redeem(attempt) {
        const redeemed = await good.redeem(attempt)
        const isAccepted = redeemed.outcome === 'long_code_required' && right.has(attempt.digest)
        return isAccepted ? { outcome: 'redeemed' } : redeemed
      },
    }
  }
}

/** Waits until all concurrent calls have arrived. */
export const nextTurn = async (): Promise<void> => void (await turn())

/** Gives concurrent calls one outcome, as a cache in front of the store would. */
export function sharing<Request, Outcome>(
  operation: (request: Request) => Promise<Outcome>,
  name: (request: Request) => string,
) {
  const pending = new Map<string, Promise<Outcome>>()
  return (request: Request): Promise<Outcome> => {
    const running = pending.get(name(request)) ?? operation(request)
    pending.set(name(request), running)
    void running.finally(() => pending.delete(name(request)))
    return running
  }
}
