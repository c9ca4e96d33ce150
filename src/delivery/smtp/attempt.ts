import type { Clock } from '../../clock.js'
import { classifyFailure, type SendResult } from './classify.js'
import { withTimeout } from '../../timeout.js'

const ATTEMPT_TIMEOUT_MS = 20_000

/** Those that ended nothing are used again: making one would cost more than all else that is done for a mail here. */
const unusedControllers: AbortController[] = []

/**
 * Runs one attempt at the transport, for 20 seconds at most. Never rejects: a failure is a result.
 * @param secrets what no log and no event may show, whatever a server says
 */
export async function makeAttempt(
  clock: Clock,
  secrets: readonly string[],
  run: (signal: AbortSignal) => Promise<SendResult>,
): Promise<SendResult> {
  const abort = unusedControllers.pop() ?? new AbortController()
  try {
    const result = await withTimeout(clock, ATTEMPT_TIMEOUT_MS, run(abort.signal))
    unusedControllers.push(abort)
    return result
  } catch (error) {
    // nodemailer's timeouts do not end a conversation in which the server sends a byte now and then. The signal does.
    abort.abort(error)
    return classifyFailure(error, secrets)
  }
}
