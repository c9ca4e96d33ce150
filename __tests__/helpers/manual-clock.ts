import type { Clock } from '../../src/clock.js'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that only the test moves. Timers fire in order, and what they start runs before the next one fires. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<Timer>()

  readonly now = (): number => this.#now

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + Math.max(0, ms), callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  readonly timeout = this.after

  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000
    await settled()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settled()
    }
    this.#now = end
  }

  get timers(): number {
    return this.#timers.size
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  }
}

/** Whatever can go on without a timer or the network has done so. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
