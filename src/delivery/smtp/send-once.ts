import { makeAttempt } from './attempt.js'
import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import { localFailure, type SendResult } from './classify.js'

/** A message of nodemailer, and its one recipient. */
export interface OutgoingMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly address: string
  /** What no log and no event may show, whatever a server says. */
  readonly secrets: readonly string[]
}

interface SendDeps {
  readonly transporter: MailTransporter
  readonly clock: Clock
}

/** Makes one attempt to send a message. Never rejects: a failure is a result. */
export async function sendOnce({ transporter, clock }: SendDeps, mail: OutgoingMessage): Promise<SendResult> {
  return makeAttempt(clock, mail.secrets, async (signal) => {
    const sending: unknown = transporter.sendMail({ ...mail.message, signal })
    if (!isPromise(sending)) return localFailure('config', 'no promise', NO_PROMISE_ADVICE)
    return resultOf(await sending, mail.address)
  })
}

/** A transport with a callback does not tell us whether it has sent the mail. */
const NO_PROMISE_ADVICE =
  '`sendMail` of `mail.transport` returned no promise. Return one that resolves when the mail is accepted and rejects ' +
  'when it is not; wrap a function with a callback by `util.promisify`.'

/**
 * A server that names what it accepted must have taken this address and no other (GHSA-mm7p-fcc7-pg87). Of other
 * transports (sendmail, SES, HTTP APIs) the resolved promise is the acceptance, unless they name somebody as rejected.
 */
function resultOf(info: unknown, address: string): SendResult {
  const { accepted, rejected } = (info ?? {}) as { accepted?: unknown; rejected?: unknown }
  if (isMissing(accepted)) {
    const isRejected = !isMissing(rejected) && !(Array.isArray(rejected) && rejected.length === 0)
    return isRejected ? localFailure('recipient', 'rejected') : { outcome: 'accepted' }
  }
  const addresses: unknown[] = Array.isArray(accepted) ? accepted : []
  if (addresses.length === 1 && addressOf(addresses[0]) === address) return { outcome: 'accepted' }
  // No retry: the other address would get it twice.
  return localFailure('config', 'accepted for another address')
}

function addressOf(accepted: unknown): unknown {
  return typeof accepted === 'object' && accepted !== null ? (accepted as { address?: unknown }).address : accepted
}

function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
