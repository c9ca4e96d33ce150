import { type Diagnosis, ok, problem } from './diagnosis.js'
import { secretsOf } from './smtp-server.js'
import { unexpected } from './explain-connection.js'
import { systemClock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import { checkConnection } from '../../delivery/smtp/check-connection.js'

/** What a transporter says of itself: one of the host's, or ours where only nodemailer can log in. */
export async function transporterDiagnosis(transporter: MailTransporter): Promise<Diagnosis> {
  const { options } = transporter as { options?: { auth?: unknown } }
  const result = await checkConnection(transporter, systemClock, secretsOf(options?.auth))
  if (result?.outcome === 'accepted') return ok('connection', 'verify() of the transport succeeds.')
  if (result) return unexpected('connection', result)
  const cure = 'Send a mail with it: `express-email-otp send code --to` an address of yours.'
  return problem('unknown', 'connection', '`mail.transport` has no verify(), so it cannot be checked.', cure)
}
