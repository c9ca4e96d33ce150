/**
 * As much of an AbortSignal as nodemailer asks for ("a polyfill is accepted as well"): listeners of Node's own cost a
 * tenth of the time that a mail takes.
 */
export class StopSignal {
  aborted = false
  reason: unknown = undefined
  readonly #listeners = new Set<() => void>()

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    for (const listener of [...this.#listeners]) listener()
  }
}
