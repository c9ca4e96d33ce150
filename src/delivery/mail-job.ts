import type { MailJob } from '../config/options.js'
import type { Settings } from '../config/settings.js'
import { seal, unseal } from '../crypto/seal.js'
import { publishDeliveryEvent } from './delivery-events.js'
import { type JobPayload, toMailRequest, toPayload, VERSION } from './job-payload.js'
import { type PrepareDeps, prepareMail } from './prepare-mail.js'
import type { DeliveryUpdate } from './queue/queued-mail.js'
import { isRetryable, jobDeadline } from './queue/retry-schedule.js'
import type { SendQueue } from './queue/send-queue.js'
import { localFailure } from './smtp/classify.js'
import { OtpError } from '../errors.js'
import type { FailureClass } from '../events.js'
import type { MailRequest } from '../mail/mail-request.js'

/** How a job ended for good: another attempt would end in the same way. */
export type JobOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused' | 'unavailable'; readonly failureClass: FailureClass; readonly reason: string }
  /** Less than two minutes of the code were left. */
  | { readonly outcome: 'expired' }

export interface JobDeps extends PrepareDeps {
  readonly sendQueue: Pick<SendQueue, 'sendJob'>
}

/** A mail request for the app's own queue: sealed, and without the code. */
export function sealJob(
  { settings, views }: Pick<PrepareDeps, 'settings' | 'views'>,
  mailRequest: MailRequest,
  mailId: string,
): MailJob {
  const { type, identity, stepUp, challenge } = mailRequest
  const locale = type === 'code' ? challenge.locale : mailRequest.locale
  const view = views.mailTemplateFolder(type === 'code' ? stepUp.purpose : type, locale)
  const publicFields = { address: identity.address.address, view, locale }
  const format = settings.code[identity.ref.type]
  const payload = toPayload(mailRequest, { mailId, enqueuedAt: settings.now(), format, ...publicFields })
  return { payload: seal(settings.keys.current.job, JSON.stringify(payload)), ...publicFields }
}

/**
 * Makes one attempt to send the mail of a job; the queue that it comes from decides about retries. The code is derived
 * again, so every attempt mails the same one.
 * @throws OtpError `mail_failed` when another attempt may end better, `invalid_job` when the job is not one of ours
 */
export async function deliverJob(deps: JobDeps, job: MailJob): Promise<JobOutcome> {
  const { settings, events, sendQueue } = deps
  const payload = openJob(settings, job)
  const mailRequest = toMailRequest(payload)
  // The mail must show the code that the app accepts, whatever format the worker's options say.
  const code = { user: payload.format, address: payload.format }
  const send = { id: payload.mailId, at: payload.enqueuedAt }
  const timeLeft = jobDeadline(mailRequest, payload.enqueuedAt) - settings.now()
  const deadline = settings.clock.now() + timeLeft
  const mail = await prepareMail({ ...deps, settings: { ...settings, code } }, mailRequest, send)
  const publish = (update: DeliveryUpdate): void => {
    publishDeliveryEvent(events, mail, update)
  }
  if (timeLeft < 0) {
    publish({ result: localFailure('aborted', 'expired'), attempt: 0, durationMs: 0, retryInMs: null })
    return { outcome: 'expired' }
  }
  const { composed } = mail
  if (composed.outcome !== 'composed') {
    publish({ result: composed, attempt: 0, durationMs: 0, retryInMs: null })
    return { outcome: composed.outcome, failureClass: composed.failureClass, reason: composed.reason }
  }
  const priority = mailRequest.identity.ref.type === 'user' ? 'signed-in' : 'anonymous'
  const message = { ...composed, address: job.address }
  const update = await sendQueue.sendJob(message, priority, deadline)
  const { result } = update
  const canRetry = result.outcome !== 'accepted' && isRetryable(result)
  publish({ ...update, retryInMs: canRetry ? 0 : null })
  if (result.outcome === 'accepted') return { outcome: 'accepted' }
  const { outcome, failureClass, reason } = result
  if (!canRetry) return { outcome, failureClass, reason }
  throw new OtpError('mail_failed', `the mail was not sent (${failureClass}: ${reason}); run the job again.`)
}

/** Opens a job. Whoever can write into the queue can neither redirect a mail nor make one. */
function openJob({ keys }: Settings, job: MailJob): JobPayload {
  const candidate = (job as Partial<MailJob> | null | undefined) ?? {}
  const jobKeys = keys.all.map((one) => one.job)
  const text = typeof candidate.payload === 'string' ? unseal(jobKeys, candidate.payload) : null
  if (text === null) {
    const hint = 'Pass deliverJob() what `mail.deliver` got, in a process with the same `secret`.'
    throw new OtpError('invalid_job', `the job was altered, or was sealed with another secret. ${hint}`)
  }
  const payload = JSON.parse(text) as JobPayload | null
  if (payload?.v !== VERSION) {
    const hint = 'Deliver it with that version; otherwise the visitor must request a new code.'
    throw new OtpError('invalid_job', `the job was made by another version of this package. ${hint}`)
  }
  const altered = (['address', 'view', 'locale'] as const).find((field) => candidate[field] !== payload[field])
  if (altered) throw new OtpError('invalid_job', `the job was altered: \`${altered}\` differs from the sealed value.`)
  return payload
}
