import { randomUUID } from 'node:crypto'
import { within } from './deadline.js'
import { type CodeErrand, type Errand, lastTryOf, makeMail } from './errand.js'
import { otpError } from './errors.js'
import { sealJob } from './job.js'
import { discard } from './mail/attempt.js'
import type { Place } from './mail/places.js'
import { failureOf } from './mail/failure.js'
import type { News } from './mail/post.js'
import { report } from './mail-report.js'
import type { Parts } from './parts.js'
import { callHost } from './visit.js'

/** Told of every try at a mail, and of its end; or of null, when the host's queue has it and nothing more is known here. */
export type Follow = (news: News | null) => void

/** A queue that has not taken a mail within this is down. */
const HANDOVER_MS = 5_000

/** Makes the mail of an errand and posts it into its place. Never throws: what becomes of it is told to `follow`. */
export function postMail(parts: Parts, place: Place, errand: Errand, follow: Follow = ignore): void {
  if (parts.mail.deliver) {
    void handOver(parts, place, errand, follow)
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
  const challenge = errand.challenge?.id ?? mail.id
  const isKnown = holder.kind === 'user'
  // One for each person, at their address. Whoever types an address may be anybody, and must not displace the mail that
  // its owner waits for; how many there can be is for the bucket of that address to say.
  const whose = isKnown ? [holder.id, address.key] : [challenge]
  place.post({
    ...mail.made,
    ...{ address: address.address, key: JSON.stringify([errand.view, ...whose]), challenge, isKnown, tell },
    until: lastTryOf(errand, parts.settings.now()),
  })
}

/** Makes the mail and throws it away: the work that the next request could measure is done for every typed address. */
export async function mailNobody(parts: Parts, place: Place, errand: CodeErrand): Promise<void> {
  place.release()
  try {
    if (parts.mail.deliver) return void sealJob(parts, errand, randomUUID())
    const { made } = makeMail(parts, errand)
    if ('message' in made) await discard(made.message)
  } catch (error) {
    const failure = otpError('mail_failed', 'a mail to nobody could not be made.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}

/**
 * Hands the mail to the host's own queue. From there on it is the host's: nothing more is told here. Of a typed
 * address it keeps its place until then, so that a queue that hangs fills ours; and none is waited for without end.
 */
async function handOver(parts: Parts, place: Place, errand: Errand, follow: Follow): Promise<void> {
  const id = randomUUID()
  try {
    const taken = callHost('mail.deliver', () => parts.mail.deliver?.(sealJob(parts, errand, id)))
    await within(HANDOVER_MS, taken)
    follow(null)
  } catch (error) {
    const failure = otpError('host_callback', '`mail.deliver` hung.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    const made = failureOf('unknown', 'mail.deliver')
    const news: News = { delivery: made, attempt: 0, ms: 0, again: null }
    report(parts, { errand, id, made }, news)
    follow(news)
  } finally {
    place.release()
  }
}

function ignore(): void {
  // a typed address gets the same answer whatever becomes of its mail
}
