/** Policy of a bucket: it holds `capacity` permits and regains one every `refill` seconds. */
export interface Limit {
  readonly capacity: number
  readonly refill: number
}

/** What taking from a bucket did. `full` is the bucket's new state, whether or not a permit was granted. */
export type TakeResult =
  | { readonly allowed: true; readonly fullAt: number }
  | { readonly allowed: false; readonly fullAt: number; readonly retryAfter: number }

/*
 * GCRA, the generic cell rate algorithm (ITU-T I.371): the whole bucket is one number, the moment when it will be
 * full again. Every permit taken moves that moment `refill` further into the future.
 * All times here are milliseconds of one clock.
 */

/** A permit in whole milliseconds, never sooner than said: parts of one would be rounded here and there, and not alike. */
export function permitIntervalMs({ refill }: Limit): number {
  return Math.ceil(refill * 1000)
}

/** Takes one permit, or tells after how many whole seconds there will be one. A refusal changes nothing. */
export function take(fullAt: number, now: number, limit: Limit): TakeResult {
  const next = takeForced(fullAt, now, limit)
  const wait = next - (now + limit.capacity * permitIntervalMs(limit))
  if (wait <= 0) return { allowed: true, fullAt: next }
  return { allowed: false, fullAt, retryAfter: Math.ceil(wait / 1000) }
}

/** Takes one permit, whether or not there is one. */
export function takeForced(fullAt: number, now: number, limit: Limit): number {
  return Math.max(fullAt, now) + permitIntervalMs(limit)
}

/** Puts `permits` back. A bucket never holds more than its capacity. */
export function refund(fullAt: number, now: number, limit: Limit, permits: number): number {
  return Math.max(now, fullAt - permits * permitIntervalMs(limit))
}

/**
 * Whether short codes of a user are void: while the bucket has no permit, and once it had none (`wasEmpty`) until half of
 * its capacity, rounded up, is back. Judged by the limit of now, whatever it was before.
 */
export function shortCodesDisabled(fullAt: number, now: number, limit: Limit, wasEmpty: boolean): boolean {
  const halfCapacityMs = Math.floor(limit.capacity / 2) * permitIntervalMs(limit)
  return !take(fullAt, now, limit).allowed || (wasEmpty && fullAt - now > halfCapacityMs)
}
