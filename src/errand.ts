import { randomUUID } from 'node:crypto'
import { codeOf } from './challenge.js'
import { OtpError, otpError } from './errors.js'
import { alertMail } from './mail/alert-mail.js'
import { codeMail } from './mail/code-mail.js'
import { type Failure, failureOf } from './mail/failure.js'
import type { Composed } from './mail/message.js'
import { lastTry, usefulUntil } from './mail/retry.js'
import type { Parts } from './parts.js'
import type { Person } from './person.js'
import type { OpenChallenge } from './session-records.js'
import type { StepUp } from './step-up.js'

/** What is to be mailed, and to whom: everything but the code, which is derived when the mail is made. */
export type Errand = CodeErrand | AlertErrand

export interface CodeErrand {
  readonly view: 'code'
  readonly person: Person
  readonly stepUp: StepUp
  readonly challenge: OpenChallenge
}

export interface AlertErrand {
  readonly view: 'alert'
  readonly person: Person
  readonly stepUp: StepUp
  readonly challenge: null
  readonly locale: string
  /** Milliseconds, when the wrong codes were typed. */
  readonly at: number
}

/** An alert is worth sending for an hour: it says when it happened. */
const ALERT_LIFETIME_MS = 3_600_000

/** Until when the mail is of use, in milliseconds. */
export function usefulUntilOf(errand: Errand): number {
  return errand.view === 'code' ? usefulUntil(errand.challenge.expires) : errand.at + ALERT_LIFETIME_MS
}

/** When the last try may begin, of a mail that is posted `now`. An alert may also wait for a server that is away. */
export function lastTryOf(errand: Errand, now: number): number {
  return errand.view === 'code' ? lastTry(now, errand.challenge.expires) : usefulUntilOf(errand)
}

/** The mail of an errand, or why there is none. */
export interface Mail {
  readonly errand: Errand
  readonly id: string
  readonly made: Composed | Failure
}

/**
 * Makes the mail; one that cannot be made is one that did not go out, and is told as such. Made anew with the same `id`
 * it is the same mail, down to its Message-ID.
 */
export function makeMail(parts: Parts, errand: Errand, id: string = randomUUID()): Mail {
  try {
    return { errand, id, made: errand.view === 'code' ? makeCode(parts, errand) : makeAlert(parts, errand, id) }
  } catch (error) {
    const failure = otpError('mail_failed', 'the mail could not be made.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { errand, id, made: failureOf('content', failure.code) }
  }
}

function makeCode(parts: Parts, errand: CodeErrand): Composed {
  const { id, kind, tag, locale, expires } = errand.challenge
  const derived = codeOf(parts.settings, errand.challenge)
  if (!derived) throw new OtpError('mail_failed', 'the secret that made this challenge is no longer in `secret`.')
  const { keys, code } = derived
  return codeMail(parts, keys, { ...errand, challenge: id, kind, code, tag, locale, expires })
}

function makeAlert(parts: Parts, errand: AlertErrand, id: string): Composed {
  return alertMail(parts, parts.settings.keys.current, { ...errand, id })
}
