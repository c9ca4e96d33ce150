import type { Clock } from '../clock.js'
import { OtpError } from '../errors.js'
import type { OtpStore } from './store.js'
import { withTimeout } from '../timeout.js'

/** Seconds after which an operation counts as failed. It may still take effect. */
const DEFAULT_DEADLINE = 2

const OUTCOMES = {
  open: ['opened', 'throttled'],
  redeem: ['redeemed', 'mismatch', 'exhausted', 'not_found', 'long_code_required'],
  spend: ['spent', 'throttled'],
}

/**
 * Makes a store fail closed. An error, a late answer and an answer that is not a valid outcome all become an OtpError
 * `store_unavailable`.
 */
export function failClosed(store: OtpStore, clock: Clock): OtpStore {
  const deadline = (store.deadline ?? DEFAULT_DEADLINE) * 1000
  async function check<T>(operation: keyof typeof OUTCOMES, answer: () => Promise<T>): Promise<T> {
    try {
      const outcome = await withTimeout(clock, deadline, answer())
      if (isValidOutcome(operation, outcome)) return outcome
      throw new Error(`it answered ${JSON.stringify(outcome)}`)
    } catch (error) {
      throw new OtpError('store_unavailable', `the store failed at ${operation}().`, { cause: error })
    }
  }
  return {
    open: (request) => check('open', async () => store.open(request)),
    redeem: (attempt) => check('redeem', async () => store.redeem(attempt)),
    spend: (request) => check('spend', async () => store.spend(request)),
    close: async () => store.close?.(),
  }
}

function isValidOutcome(operation: keyof typeof OUTCOMES, answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !Object.hasOwn(answer, 'outcome')) return false
  const { outcome, id, kind, retryAfter, attemptsLeft, expiresIn } = answer as Record<string, unknown>
  if (typeof outcome !== 'string' || !OUTCOMES[operation].includes(outcome)) return false
  if (outcome === 'throttled') return isNonNegative(retryAfter)
  if (outcome === 'mismatch') return isNonNegative(attemptsLeft)
  if (outcome !== 'opened') return true
  return typeof id === 'string' && (kind === 'short' || kind === 'long') && isNonNegative(expiresIn)
}

function isNonNegative(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
