import type { Clock } from './clock.js'

/** Waits for `answer`, but rejects after `ms` milliseconds; a later answer is ignored. */
export function withTimeout<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timeout(ms, () => {
      reject(new Error(`no answer within ${ms} ms`))
    })
    void answer.then(resolve, reject).then(cancel)
  })
}
