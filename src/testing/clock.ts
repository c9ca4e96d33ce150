/** A clock for the option `now` that moves only when told to. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Moves the clock on. */
  readonly tick: (seconds: number) => void
}

/**
 * @example
 * ```ts
 * const clock = createClock()
 * const otp = emailOtp({ ...options, now: clock.now })
 * clock.tick(601) // the code has expired
 * ```
 * @param start the present by default
 */
export function createClock(start: Date | number = Date.now()): TestClock {
  let time = Number(start)
  return {
    now: () => time,
    tick: (seconds) => {
      time += seconds * 1000
    },
  }
}
