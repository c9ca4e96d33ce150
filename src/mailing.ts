import { type CodeErrand, type Errand, makeMail } from './errand.js'
import { sealJob } from './job.js'
import { discard } from './mail/attempt.js'
import type { Place } from './mail/delivery.js'
import { failureOf } from './mail/failure.js'
import type { News } from './mail/letters.js'
import { report } from './mail-report.js'
import type { Parts } from './parts.js'
import { callHost } from './visit.js'
import { otpError } from './errors.js'

/** An alert is worth sending as long as a code is. */
const ALERT_LIFETIME_MS = 600_000

/** Makes the mail of an errand and posts it into its place. Never throws: `follow` is told of every try, and of the end. */
export function postMail(parts: Parts, place: Place, errand: Errand, follow: (news: News) => void = ignore): void {
  if (parts.mail.deliver) {
    place.release()
    void handOver(parts, errand, follow)
    return
  }
  const mail = makeMail(parts, errand)
  const tell = (news: News): void => {
    report(parts, mail, news)
    follow(news)
  }
  if (!('message' in mail.made)) {
    place.release()
    tell({ delivery: mail.made, attempt: 0, ms: 0, again: null })
    return
  }
  const { holder, address } = errand.person
  place.post({
    ...mail.made,
    address: address.address,
    // One for each address; but whoever only types an address displaces no mail of somebody who is signed in.
    key: `${errand.view} ${holder.kind} ${address.key}`,
    challenge: errand.challenge?.id ?? mail.id,
    expires: errand.challenge?.expires ?? parts.settings.now() + ALERT_LIFETIME_MS,
    tell,
  })
}

/** Makes the mail and throws it away: the work that the next request could measure is done for every typed address. */
export async function mailNobody(parts: Parts, place: Place, errand: CodeErrand): Promise<void> {
  place.release()
  if (parts.mail.deliver) return void sealJob(parts, errand)
  const { made } = makeMail(parts, errand)
  if ('message' in made) await discard(made.message)
}

/** Hands the mail to the host's own queue. From there on it is the host's: nothing more is told here. */
async function handOver(parts: Parts, errand: Errand, follow: (news: News) => void): Promise<void> {
  try {
    await callHost('mail.deliver', () => parts.mail.deliver?.(sealJob(parts, errand)))
  } catch (error) {
    const failure = otpError('host_callback', '`mail.deliver` threw.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    const made = failureOf('unknown', 'mail.deliver')
    const news: News = { delivery: made, attempt: 0, ms: 0, again: null }
    report(parts, { errand, id: '', made }, news)
    follow(news)
  }
}

function ignore(): void {
  // a typed address gets the same answer whatever becomes of its mail
}
