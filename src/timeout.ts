import type { Clock } from './clock.js'

/** Waits for `answer`, but no longer than `ms` milliseconds; then it rejects, and the late answer is ignored. */
export function withTimeout<T>(clock: Clock, ms: number, answer: PromiseLike<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.timeout(ms, () => {
      reject(new Error(`no answer within ${ms} ms`))
    })
    answer.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
