import { parseAddress } from './address.js'
import { type Errand, makeMail } from './errand.js'
import { OtpError } from './errors.js'
import { type Failure, type FailureClass, failureOf } from './mail/failure.js'
import { isTooLate, isWorthAnother } from './mail/retry.js'
import { report } from './mail-report.js'
import type { MailJob } from './options.js'
import type { Parts } from './parts.js'
import { seal, unseal } from './seal.js'

/** How a job ended for good: another try would end in the same way. */
export type JobOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused' | 'unavailable'; readonly class: FailureClass; readonly reason: string }
  /** Its code is as good as expired. */
  | { readonly outcome: 'expired' }

interface Sealed {
  readonly at: number
  readonly errand: Errand
}

/** An errand as it may wait in a queue of the host's: sealed, and without the code. */
export function sealJob({ settings }: Parts, errand: Errand): MailJob {
  const { view, challenge, stepUp, person } = errand
  const locale = view === 'code' ? challenge.locale : errand.locale
  // Of the host's user object only what the mail needs.
  const user = person.user && { id: person.user.id, email: person.user.email }
  const sealed: Sealed = { at: settings.now(), errand: { ...errand, person: { ...person, user } } }
  const text = seal(settings.keys.current.job, JSON.stringify(sealed))
  return { challenge: text, address: person.address.address, view: view === 'code' ? stepUp.purpose : view, locale }
}

/**
 * Sends the mail of a job, in one try: how often to try is up to the queue that it comes from. The code is derived again,
 * so every try mails the same one.
 * @throws OtpError `mail_failed` when another try may end better, `invalid_job` when the job is not one of ours
 */
export async function deliverJob(parts: Parts, job: MailJob): Promise<JobOutcome> {
  const { at, errand } = openJob(parts, job)
  const now = parts.settings.now()
  const mail = makeMail(parts, errand)
  const tell = (
    delivery: Failure | { outcome: 'accepted' },
    attempt: number,
    ms: number,
    again: number | null,
  ): void => {
    report(parts, mail, { delivery, attempt, ms, again })
  }
  if (errand.challenge && isTooLate(now, at, errand.challenge.expires)) {
    tell(failureOf('aborted', 'expired'), 0, 0, null)
    return { outcome: 'expired' }
  }
  const began = performance.now()
  const { made } = mail
  const delivery = 'message' in made ? await parts.mailer.tryOnce({ ...made, address: job.address }) : made
  const mayEndBetter = delivery.outcome !== 'accepted' && isWorthAnother(delivery)
  tell(delivery, 1, performance.now() - began, mayEndBetter ? now : null)
  if (delivery.outcome === 'accepted') return { outcome: 'accepted' }
  if (!mayEndBetter) return { outcome: delivery.outcome, class: delivery.class, reason: delivery.reason }
  throw new OtpError(
    'mail_failed',
    `the mail did not go out (${delivery.class}: ${delivery.reason}); try the job again.`,
  )
}

/** Opens a job; whoever can write into the queue can neither redirect a mail nor make one. */
function openJob({ settings }: Parts, job: MailJob): Sealed {
  const { challenge, address } = (job as Partial<MailJob> | null) ?? {}
  const keys = settings.keys.all.map((one) => one.job)
  const text = typeof challenge === 'string' ? unseal(keys, challenge) : null
  if (text === null) {
    const cure = 'Give deliverJob() what mail.deliver was given, in a process with the same `secret`.'
    throw new OtpError('invalid_job', `the job was altered, or is none of this secret. ${cure}`)
  }
  const sealed = JSON.parse(text) as Sealed
  const parsed = parseAddress(sealed.errand.person.address.address)
  if (parsed?.address !== address) throw new OtpError('invalid_job', 'the address of the job was altered.')
  return sealed
}
