import { about } from './challenge.js'
import type { Mail } from './errand.js'
import type { OtpEvent } from './events.js'
import { ADVICE } from './mail/advice.js'
import { type Failure, failureOf } from './mail/failure.js'
import type { News } from './mail/post.js'
import type { Parts } from './parts.js'

type Undelivered = Extract<OtpEvent, { type: 'undelivered' }>

/** Tells the events what became of a try, or of a mail that was not tried. */
export function report(parts: Parts, { errand, id, made }: Mail, { delivery, attempt, ms, again }: News): void {
  const { person, stepUp, challenge } = errand
  const isMade = 'message' in made
  const facts = {
    ...about(person, stepUp, challenge),
    mail: id,
    view: isMade ? made.view : errand.view,
    locale: errand.view === 'code' ? errand.challenge.locale : errand.locale,
    attempt,
    ms: Math.round(ms),
    messageId: isMade ? made.messageId : '',
  }
  if (delivery.outcome === 'accepted') {
    parts.events.publish({ type: 'sent', ...facts, outcome: 'accepted' })
    return
  }
  const failure = delivery.outcome === 'withdrawn' ? failureOf('aborted', delivery.reason) : delivery
  const { class: found, reason, text } = failure
  const event: Undelivered = {
    type: 'undelivered',
    ...facts,
    outcome: again === null ? delivery.outcome : 'deferred',
    class: found,
    reason,
    text,
    ...adviceOn(failure, again !== null),
    retryIn: again === null ? null : Math.max(0, Math.ceil((again - parts.settings.now()) / 1000)),
  }
  parts.events.publish(event)
}

function adviceOn({ class: found, reason }: Failure, isTriedAgain: boolean): Pick<Undelivered, 'severity' | 'advice'> {
  if (found === 'aborted' && (reason === 'used' || reason === 'replaced')) {
    return {
      severity: 'info',
      advice: 'Nobody waits for it any more, or a newer one took its place. Nothing to do here.',
    }
  }
  if (isTriedAgain || (found !== 'greylist' && found !== 'transient')) return ADVICE[found]
  return { severity: 'warning', advice: 'The server put it off for as long as the code was of use.' }
}
