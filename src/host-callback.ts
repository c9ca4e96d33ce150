import type { Clock } from './clock.js'
import { wrapError } from './errors.js'
import { withTimeout } from './timeout.js'

/** How long a function of the host's may take that a response waits for. */
const TIMEOUT_MS = 5_000

/** Runs a function of the host's. @throws OtpError `host_callback` with what it threw as the cause */
export async function callHostFunction<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw wrapError('host_callback', `\`${name}\` threw.`, error)
  }
}

/** The same, but for five seconds at most. */
export async function callWithTimeout<T>(clock: Clock, name: string, call: () => T | Promise<T>): Promise<T> {
  return withTimeout(clock, TIMEOUT_MS, callHostFunction(name, call)).catch((error: unknown) => {
    throw wrapError('host_callback', `\`${name}\` timed out.`, error)
  })
}
