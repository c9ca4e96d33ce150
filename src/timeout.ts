import type { Clock } from './clock.js'

/** The code of its error, which is that of nodemailer for a send that was given up. */
const TIMED_OUT = 'EABORT'

/** Waits for `answer`, but rejects after `ms` milliseconds; a later answer is ignored. */
export function withTimeout<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timeout(ms, () => {
      reject(Object.assign(new Error(`no answer within ${ms / 1000} s`), { code: TIMED_OUT }))
    })
    void answer.then(resolve, reject).then(cancel)
  })
}
