// Replaces the timer of the memory store, so that a sweep starts when it is measured.
import { setImmediate as turn } from 'node:timers/promises'

export function sweepsOf(make) {
  const real = globalThis.setInterval
  let begin = () => undefined
  globalThis.setInterval = (callback) => {
    begin = callback
    return real(() => undefined, 2 ** 30)
  }
  const made = make()
  globalThis.setInterval = real
  return {
    made,
    /** Resolves when a million entries have been examined. */
    async sweep() {
      begin()
      for (let turns = 0; turns < 1_000; turns++) await turn()
    },
  }
}
