import { type Diagnosis, ok, problem } from './diagnosis.js'

const WARNING_SECONDS = 60
const ERROR_SECONDS = 300

/** A date as in mails (RFC 5322 3.3), which many servers put into their greeting. */
const DATE =
  /\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|GMT|UTC?)\b/

/** What another machine said about the time, and when it said so by the clock of this one. */
export interface ToldTime {
  readonly by: string
  readonly text: string
  readonly at: number
}

/** The clock of this machine against the first other one that tells the time. */
export function clockDiagnosis(told: readonly ToldTime[]): Diagnosis {
  for (const { by, text, at } of told) {
    const time = Date.parse(DATE.exec(text)?.[0] ?? '')
    if (!Number.isNaN(time)) return compared(by, Math.round((at - time) / 1_000))
  }
  const cure = 'Check it with `timedatectl`, or against any clock that you trust.'
  return problem('unknown', 'clock', 'Not told: neither the mail server nor `site.origin` says what time it is.', cure)
}

function compared(by: string, seconds: number): Diagnosis {
  const distance = Math.abs(seconds)
  if (distance <= WARNING_SECONDS) return ok('clock', `This machine and ${by} agree on the time.`)
  const message = `The clock of this machine is ${distance} seconds ${seconds > 0 ? 'ahead of' : 'behind'} that of ${by}.`
  const cure = 'Synchronise it (NTP). Codes expire by it, mails carry its time, and TLS checks certificates by it.'
  return problem(distance > ERROR_SECONDS ? 'error' : 'warning', 'clock', message, cure)
}
