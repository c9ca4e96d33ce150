import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for an answer, but no longer than `ms` milliseconds; then it rejects, and what comes later is nobody's. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const patience = new AbortController()
  const late = sleep(ms, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`)
  })
  late.catch(() => undefined) // the loser of the race is nobody's error
  try {
    return await Promise.race([answer, late])
  } finally {
    patience.abort()
  }
}
