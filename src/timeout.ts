import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for an answer, but no longer than `ms` milliseconds; then it rejects, and what comes later is nobody's. */
export async function withTimeout<T>(ms: number, answer: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const timedOut = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`)
  })
  timedOut.catch(() => undefined) // the loser of the race is nobody's error
  try {
    return await Promise.race([answer, timedOut])
  } finally {
    timer.abort()
  }
}
