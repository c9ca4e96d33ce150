/** A rate limit: a bucket holds `capacity` permits and gains one every `refill` seconds. */
export interface Limit {
  readonly capacity: number
  readonly refill: number
}

/** Result of taking a permit. `fullAt` is the state of the bucket afterwards; `retryAfter` is 0 if it was allowed. */
export interface TakeResult {
  readonly allowed: boolean
  readonly fullAt: number
  readonly retryAfter: number
}

/*
 * GCRA, the generic cell rate algorithm (ITU-T I.371): a bucket is one number, the time at which it will be full. Each
 * permit that is taken moves that time `refill` into the future. All times are milliseconds of one clock.
 */

/** Refill interval in whole milliseconds, rounded up: each store would round fractions differently. */
export function permitIntervalMs({ refill }: Limit): number {
  return Math.ceil(refill * 1000)
}

/** Takes a permit, or returns in how many whole seconds there will be one. Without a permit nothing changes. */
export function take(fullAt: number, now: number, limit: Limit): TakeResult {
  const next = takeForced(fullAt, now, limit)
  const wait = next - (now + limit.capacity * permitIntervalMs(limit))
  if (wait <= 0) return { allowed: true, fullAt: next, retryAfter: 0 }
  return { allowed: false, fullAt, retryAfter: Math.ceil(wait / 1000) }
}

/** Takes a permit even if the bucket is empty. */
export function takeForced(fullAt: number, now: number, limit: Limit): number {
  return Math.max(fullAt, now) + permitIntervalMs(limit)
}

/** Returns `permits` to the bucket, up to its capacity. */
export function refund(fullAt: number, now: number, limit: Limit, permits: number): number {
  return Math.max(now, fullAt - permits * permitIntervalMs(limit))
}

/**
 * Whether short codes of a user are disabled: while `failures` is empty, and after it was empty (`wasEmpty`) until half
 * of its capacity, rounded up, is back. The current limit counts, whatever it was before.
 */
export function shortCodesDisabled(fullAt: number, now: number, limit: Limit, wasEmpty: boolean): boolean {
  const halfCapacityMs = Math.floor(limit.capacity / 2) * permitIntervalMs(limit)
  return !take(fullAt, now, limit).allowed || (wasEmpty && fullAt - now > halfCapacityMs)
}
