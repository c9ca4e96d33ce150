import type { CodeFormat } from './code.js'
import { type Errand, makeMail, usefulUntilOf } from './errand.js'
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
  /** Names the mail in events, from its first try to its last. */
  readonly mail: string
  /** Milliseconds, when it was handed over. */
  readonly at: number
  /** What the job says in the clear: only that, word for word, goes with what is sealed. */
  readonly clear: Omit<MailJob, 'challenge'>
  /** How the app writes codes; the mail must show the one that the app takes, whatever options the worker has. */
  readonly format: CodeFormat
  readonly errand: Errand
}

/** An errand as it may wait in a queue of the host's: sealed, and without the code. */
export function sealJob({ settings, views }: Parts, errand: Errand, mail: string): MailJob {
  const { view, challenge, stepUp, person } = errand
  const locale = view === 'code' ? challenge.locale : errand.locale
  const folder = views.mailView(view === 'code' ? stepUp.purpose : view, locale)
  const clear = { address: person.address.address, view: folder, locale }
  // Of the host's user object only what the mail needs.
  const user = person.user && { id: person.user.id, email: person.user.email }
  const bare: Errand = { ...errand, person: { ...person, user } }
  const sealed: Sealed = { mail, at: settings.now(), clear, format: settings.code, errand: bare }
  return { challenge: seal(settings.keys.current.job, JSON.stringify(sealed)), ...clear }
}

/**
 * Sends the mail of a job, in one try: how often to try is up to the queue that it comes from. The code is derived again,
 * so every try mails the same one.
 * @throws OtpError `mail_failed` when another try may end better, `invalid_job` when the job is not one of ours
 */
export async function deliverJob(parts: Parts, job: MailJob): Promise<JobOutcome> {
  const { mail: id, at, format, errand } = openJob(parts, job)
  const now = parts.settings.now()
  const mail = makeMail({ ...parts, settings: { ...parts.settings, code: format } }, errand, id)
  const tell = (
    delivery: Failure | { outcome: 'accepted' },
    attempt: number,
    ms: number,
    again: number | null,
  ): void => {
    report(parts, mail, { delivery, attempt, ms, again })
  }
  const isLate = (): boolean => isTooLate(parts.settings.now(), at, usefulUntilOf(errand))
  if (isLate()) {
    tell(failureOf('aborted', 'expired'), 0, 0, null)
    return { outcome: 'expired' }
  }
  const { made } = mail
  if (!('message' in made)) {
    tell(made, 0, 0, null)
    return { outcome: made.outcome, class: made.class, reason: made.reason }
  }
  const began = performance.now()
  const delivery = await parts.mailer.tryOnce(
    { ...made, address: job.address },
    errand.person.holder.kind === 'user',
    isLate,
  )
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
  const given = (job as Partial<MailJob> | null | undefined) ?? {}
  const keys = settings.keys.all.map((one) => one.job)
  const text = typeof given.challenge === 'string' ? unseal(keys, given.challenge) : null
  if (text === null) {
    const cure = 'Give deliverJob() what mail.deliver was given, in a process with the same `secret`.'
    throw new OtpError('invalid_job', `the job was altered, or is none of this secret. ${cure}`)
  }
  const sealed = JSON.parse(text) as Sealed
  const altered = (['address', 'view', 'locale'] as const).find((field) => given[field] !== sealed.clear[field])
  if (altered) throw new OtpError('invalid_job', `the job was altered: \`${altered}\` is not what was sealed.`)
  return sealed
}
