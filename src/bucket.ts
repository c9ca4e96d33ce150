/** Policy of a bucket: it holds `capacity` permits and regains one every `refill` seconds. */
export interface Limit {
  readonly capacity: number
  readonly refill: number
}

/** What taking from a bucket did. `full` is the bucket's new state, whether or not a permit was granted. */
export type Taken =
  | { readonly granted: true; readonly full: number }
  | { readonly granted: false; readonly full: number; readonly retryAfter: number }

/*
 * GCRA, the generic cell rate algorithm (ITU-T I.371): the whole bucket is one number, the moment when it will be
 * full again. Every permit taken moves that moment `refill` further into the future.
 * All times here are milliseconds of one clock.
 */

/** A permit in whole milliseconds, never sooner than said: parts of one would be rounded here and there, and not alike. */
export function permitOf({ refill }: Limit): number {
  return Math.ceil(refill * 1000)
}

/** Takes one permit, or tells after how many whole seconds there will be one. A refusal changes nothing. */
export function take(full: number, now: number, limit: Limit): Taken {
  const next = charge(full, now, limit)
  const wait = next - (now + limit.capacity * permitOf(limit))
  if (wait <= 0) return { granted: true, full: next }
  return { granted: false, full, retryAfter: Math.ceil(wait / 1000) }
}

/** Takes one permit, whether or not there is one. */
export function charge(full: number, now: number, limit: Limit): number {
  return Math.max(full, now) + permitOf(limit)
}

/** Puts `permits` back. A bucket never holds more than its capacity. */
export function giveBack(full: number, now: number, limit: Limit, permits: number): number {
  return Math.max(now, full - permits * permitOf(limit))
}

/**
 * Whether short codes of a user are void: while the bucket has no permit, and once it had none (`wasEmpty`) until half of
 * its capacity, rounded up, is back. Judged by the limit of now, whatever it was before.
 */
export function isVoid(full: number, now: number, limit: Limit, wasEmpty: boolean): boolean {
  const half = Math.floor(limit.capacity / 2) * permitOf(limit)
  return !take(full, now, limit).granted || (wasEmpty && full - now > half)
}
