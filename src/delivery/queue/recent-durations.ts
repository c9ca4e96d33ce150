import { randomInt } from 'node:crypto'

const MAX_DURATIONS = 32

/** How long the newest send attempts took, in milliseconds. A decoy takes as long as one of them. */
export class RecentDurations {
  readonly #durations: number[] = []

  add(durationMs: number): void {
    this.#durations.push(durationMs)
    if (this.#durations.length > MAX_DURATIONS) this.#durations.shift()
  }

  /** One of them; 0 before the first attempt. */
  draw(): number {
    return this.#durations[randomInt(Math.max(1, this.#durations.length))] ?? 0
  }
}
