import { makeAttempt } from './attempt.js'
import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import { localFailure, type SendResult } from './classify.js'

/**
 * Checks the connection to the mail server without a mail. nodemailer's `verify` makes a connection of its own, beside
 * those of a pool: greeting, TLS, login, QUIT.
 * @param secrets what no log and no event may show, whatever a server says
 * @returns null if the transporter cannot; nodemailer's `verify` is there for any transport, and then returns false
 */
export async function checkConnection(
  transporter: MailTransporter,
  clock: Clock,
  secrets: readonly string[] = [],
): Promise<SendResult | null> {
  const checking = startCheck(transporter)
  if (checking === false) return null
  return makeAttempt(clock, secrets, async () =>
    (await checking) === false ? localFailure('connect', 'verify') : { outcome: 'accepted' },
  )
}

function startCheck(transporter: MailTransporter): unknown {
  try {
    return transporter.verify?.() ?? false
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
}
