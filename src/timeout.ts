import type { Clock } from './clock.js'

/** Waits for `answer`, but rejects after `ms` milliseconds; a later answer is ignored. */
export async function withTimeout<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  let cancel: () => void = () => undefined
  const timedOut = new Promise<never>((_, reject) => {
    cancel = clock.timeout(ms, () => {
      reject(new Error(`no answer within ${ms} ms`))
    })
  })
  try {
    return await Promise.race([answer, timedOut])
  } finally {
    cancel()
  }
}
