/** Time that only moves forward. Limits, retries and timeouts are measured by it. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  readonly now: () => number
  /** Calls `act` once, when the clock has moved on by `ms`. Returns the function that cancels it. */
  readonly after: (ms: number, act: () => void) => () => void
  /** The same for a timeout: a clock that stands still in a test must not make a request hang. */
  readonly timeout: (ms: number, act: () => void) => () => void
}

/** How often a clock of the host's own is looked at, in real milliseconds. */
const POLL_MS = 20
/** Real milliseconds that a timeout leaves, however far such a clock is moved: enough for what answers at once. */
const GRACE_MS = 250

/** Node's monotonic clock. */
export const systemClock: Clock = { now: () => performance.now(), after: startTimer, timeout: startTimer }

/** A clock made of the option `now`. It can be moved, and also put back: then no time has passed. */
export function clockFrom(wallClock: () => number): Clock {
  const now = monotonic(wallClock)
  const poll = (isDue: () => boolean, act: () => void): (() => void) => {
    const timer = setInterval(() => {
      if (!isDue()) return
      clearInterval(timer)
      act()
    }, POLL_MS).unref()
    return () => {
      clearInterval(timer)
    }
  }
  return {
    now,
    after(ms, act) {
      const due = now() + ms
      return poll(() => now() >= due, act)
    },
    timeout(ms, act) {
      const [due, began] = [now() + ms, performance.now()]
      return poll(() => {
        const waited = performance.now() - began
        return waited >= ms || (waited >= GRACE_MS && now() >= due)
      }, act)
    },
  }
}

/** The time that has passed by a clock that may be put back, in milliseconds. */
export function monotonic(wallClock: () => number): () => number {
  let [last, passed] = [wallClock(), 0]
  return () => {
    const now = wallClock()
    if (!Number.isFinite(now)) return passed
    passed += Math.max(0, now - last)
    last = now
    return passed
  }
}

function startTimer(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms).unref()
  return () => {
    clearTimeout(timer)
  }
}
