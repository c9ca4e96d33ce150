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

/** Node's monotonic clock. */
export const systemClock: Clock = { now: () => performance.now(), after: startTimer, timeout: startTimer }

/** A clock made of the option `now`. It can be moved, and also put back: then no time has passed. */
export function clockFrom(wallClock: () => number): Clock {
  const now = monotonic(wallClock)
  const after = (ms: number, act: () => void): (() => void) => {
    const due = now() + ms
    const poll = setInterval(() => {
      if (now() < due) return
      clearInterval(poll)
      act()
    }, POLL_MS).unref()
    return () => {
      clearInterval(poll)
    }
  }
  const timeout = (ms: number, act: () => void): (() => void) => {
    const cancel = (): void => {
      cancelMoved()
      cancelReal()
    }
    const expire = (): void => {
      cancel()
      act()
    }
    const cancelMoved = after(ms, expire)
    const cancelReal = startTimer(ms, expire)
    return cancel
  }
  return { now, after, timeout }
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
