/** Time that only moves forward, for rates, retries and timeouts. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  readonly now: () => number
  /** Calls `callback` once, when the clock has moved on by `ms`. Returns the function that cancels it. */
  readonly after: (ms: number, callback: () => void) => () => void
  /** The same for a timeout: a clock that stands still in a test must not make a request hang. */
  readonly timeout: (ms: number, callback: () => void) => () => void
}

/** How often a clock of the host's is polled, in real milliseconds. */
const POLL_MS = 20
/** Real milliseconds that a timeout lasts at least, however far such a clock is moved: enough for immediate answers. */
const GRACE_MS = 250

/** Node's monotonic clock. */
export const systemClock: Clock = { now: () => performance.now(), after: startTimer, timeout: startTimer }

/** A clock made from the option `now`. If that is set back, no time has passed. */
export function clockFrom(wallClock: () => number): Clock {
  const now = monotonic(wallClock)
  const poll = (isDue: () => boolean, callback: () => void): (() => void) => {
    const timer = setInterval(() => {
      if (!isDue()) return
      clearInterval(timer)
      callback()
    }, POLL_MS).unref()
    return () => {
      clearInterval(timer)
    }
  }
  return {
    now,
    after(ms, callback) {
      const due = now() + ms
      return poll(() => now() >= due, callback)
    },
    timeout(ms, callback) {
      const [due, began] = [now() + ms, performance.now()]
      return poll(() => {
        const waited = performance.now() - began
        return waited >= ms || (waited >= GRACE_MS && now() >= due)
      }, callback)
    },
  }
}

/** Milliseconds that have passed by a clock that may be set back. */
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

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms).unref()
  return () => {
    clearTimeout(timer)
  }
}
