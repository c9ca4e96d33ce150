import { randomInt } from 'node:crypto'
import type { Clock } from '../../clock.js'

/** Time that passes also in a host's test, where the option `now` may stand still. */
export type RealTime = Pick<Clock, 'after'>

const MAX_DELAY_MS = 2_000

/**
 * Mail and decoys of typed addresses that have not started. Each starts at a random moment within two seconds, so that
 * its work falls into no particular request: neither the next answer nor the next mail tells one from the other.
 */
export class DelayedStarts {
  readonly #realTime: RealTime
  /** The function that starts each, with its challenge. */
  readonly #waiting = new Map<() => Promise<void>, string>()

  constructor(realTime: RealTime) {
    this.#realTime = realTime
  }

  get size(): number {
    return this.#waiting.size
  }

  /** @param start never throws; what it does before its first `await` is done when `startNow()` returns its promise */
  add(challengeId: string, start: () => unknown): void {
    const startOnce = async (): Promise<void> => {
      cancelTimer()
      if (this.#waiting.delete(startOnce)) await start()
    }
    const cancelTimer = this.#realTime.after(randomInt(MAX_DELAY_MS + 1), () => void startOnce())
    this.#waiting.set(startOnce, challengeId)
  }

  /** Starts those of a challenge, or all, without further delay. */
  async startNow(challengeId?: string): Promise<void> {
    const due = [...this.#waiting].filter(([, id]) => challengeId === undefined || id === challengeId)
    await Promise.all(due.map(([startOnce]) => startOnce()))
  }
}
