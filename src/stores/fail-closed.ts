import type { Clock } from '../clock.js'
import { OtpError } from '../errors.js'
import type { OtpStore } from './store.js'
import { withTimeout } from '../timeout.js'

/** Seconds after which a store is down: the request ends as 503, the act may still count. */
const DEADLINE = 2

const OUTCOMES = {
  open: ['opened', 'throttled'],
  redeem: ['redeemed', 'mismatch', 'exhausted', 'not_found', 'long_code_required'],
  spend: ['spent', 'throttled'],
}

/**
 * Any store, made to fail closed: what it throws, answers too late or answers in a shape of its own becomes
 * an OtpError `store_unavailable`. Nothing but a known outcome gets past here.
 */
export function failClosed(store: OtpStore, clock: Clock): OtpStore {
  const deadline = (store.deadline ?? DEADLINE) * 1000
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
