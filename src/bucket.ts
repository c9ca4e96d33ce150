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

/** Takes one permit, or tells after how many whole seconds there will be one. A refusal changes nothing. */
export function take(full: number, now: number, { capacity, refill }: Limit): Taken {
  const next = Math.max(full, now) + refill * 1000
  const wait = next - (now + capacity * refill * 1000)
  if (wait <= 0) return { granted: true, full: next }
  return { granted: false, full, retryAfter: Math.ceil(wait / 1000) }
}

/** Puts `permits` back. A bucket never holds more than its capacity. */
export function giveBack(full: number, now: number, { refill }: Limit, permits: number): number {
  return Math.max(now, full - permits * refill * 1000)
}

/** The moment when half the capacity will be back: until then a user whose bucket ran empty gets long codes. */
export function halfFullAt(full: number, { capacity, refill }: Limit): number {
  return full - Math.floor(capacity / 2) * refill * 1000
}
