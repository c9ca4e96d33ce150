import type { MailJob } from '../config/options.js'
import type { CodeFormat } from '../crypto/code.js'
import { seal, unseal } from '../crypto/seal.js'
import { composeOrFail } from './compose-or-fail.js'
import { publishDeliveryEvent } from './delivery-events.js'
import { deliveryDeadline, isPastDeadline, isRetryable } from './queue/retry-schedule.js'
import { type Failure, type FailureClass, localFailure } from './smtp/classify.js'
import { OtpError } from '../errors.js'
import type { MailRequest } from '../mail/mail-request.js'
import type { Services } from '../services.js'

/** How a job ended for good: another try would end in the same way. */
export type JobOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused' | 'unavailable'; readonly failureClass: FailureClass; readonly reason: string }
  /** Its code is as good as expired. */
  | { readonly outcome: 'expired' }

interface JobPayload {
  /** Names the mail in events, from its first try to its last. */
  readonly mail: string
  /** Milliseconds, when it was handed over. */
  readonly at: number
  /** What the job says in the clear: only that, word for word, goes with what is sealed. */
  readonly publicFields: Omit<MailJob, 'payload'>
  /** How the app writes codes; the mail must show the one that the app takes, whatever options the worker has. */
  readonly format: CodeFormat
  readonly mailRequest: MailRequest
}

/** An errand as it may wait in a queue of the host's: sealed, and without the code. */
export function sealJob({ settings, views }: Services, mailRequest: MailRequest, mail: string): MailJob {
  const { type, challenge, stepUp, identity } = mailRequest
  const locale = type === 'code' ? challenge.locale : mailRequest.locale
  const folder = views.mailTemplateFolder(type === 'code' ? stepUp.purpose : type, locale)
  const publicFields = { address: identity.address.address, view: folder, locale }
  // Of the host's user object only what the mail needs.
  const user = identity.user && { id: identity.user.id, email: identity.user.email }
  const minimal: MailRequest = { ...mailRequest, identity: { ...identity, user } }
  const sealed: JobPayload = { mail, at: settings.now(), publicFields, format: settings.code, mailRequest: minimal }
  return { payload: seal(settings.keys.current.job, JSON.stringify(sealed)), ...publicFields }
}

/**
 * Sends the mail of a job, in one try: how often to try is up to the queue that it comes from. The code is derived again,
 * so every try mails the same one.
 * @throws OtpError `mail_failed` when another try may end better, `invalid_job` when the job is not one of ours
 */
export async function deliverJob(services: Services, job: MailJob): Promise<JobOutcome> {
  const { mail: id, at, format, mailRequest } = openJob(services, job)
  const now = services.settings.now()
  const mail = composeOrFail({ ...services, settings: { ...services.settings, code: format } }, mailRequest, id)
  const publish = (
    delivery: Failure | { outcome: 'accepted' },
    attempt: number,
    ms: number,
    again: number | null,
  ): void => {
    publishDeliveryEvent(services, mail, { delivery, attempt, ms, again })
  }
  const isTooLate = (): boolean => isPastDeadline(services.settings.now(), at, deliveryDeadline(mailRequest))
  if (isTooLate()) {
    publish(localFailure('aborted', 'expired'), 0, 0, null)
    return { outcome: 'expired' }
  }
  const { composed } = mail
  if (!('message' in composed)) {
    publish(composed, 0, 0, null)
    return { outcome: composed.outcome, failureClass: composed.failureClass, reason: composed.reason }
  }
  const began = performance.now()
  const delivery = await services.sendQueue.tryOnce(
    { ...composed, address: job.address },
    mailRequest.identity.ref.type === 'user',
    isTooLate,
  )
  const canRetry = delivery.outcome !== 'accepted' && isRetryable(delivery)
  publish(delivery, 1, performance.now() - began, canRetry ? now : null)
  if (delivery.outcome === 'accepted') return { outcome: 'accepted' }
  if (!canRetry) return { outcome: delivery.outcome, failureClass: delivery.failureClass, reason: delivery.reason }
  throw new OtpError(
    'mail_failed',
    `the mail did not go out (${delivery.failureClass}: ${delivery.reason}); try the job again.`,
  )
}

/** Opens a job; whoever can write into the queue can neither redirect a mail nor make one. */
function openJob({ settings }: Services, job: MailJob): JobPayload {
  const candidate = (job as Partial<MailJob> | null | undefined) ?? {}
  const keys = settings.keys.all.map((one) => one.job)
  const text = typeof candidate.payload === 'string' ? unseal(keys, candidate.payload) : null
  if (text === null) {
    const cure = 'Give deliverJob() what mail.deliver was given, in a process with the same `secret`.'
    throw new OtpError('invalid_job', `the job was altered, or is none of this secret. ${cure}`)
  }
  const sealed = JSON.parse(text) as JobPayload
  const altered = (['address', 'view', 'locale'] as const).find(
    (field) => candidate[field] !== sealed.publicFields[field],
  )
  if (altered) throw new OtpError('invalid_job', `the job was altered: \`${altered}\` is not what was sealed.`)
  return sealed
}
