import type { OpenChallenge } from '../challenge/records.js'
import type { StepUp } from '../challenge/step-up.js'
import type { Identity } from '../identity/user.js'

/** What to mail to whom. The code is not in it: it is derived when the mail is composed. */
export type MailRequest = CodeMailRequest | AlertMailRequest

export interface CodeMailRequest {
  readonly type: 'code'
  readonly identity: Identity
  readonly stepUp: StepUp
  readonly challenge: OpenChallenge
}

export interface AlertMailRequest {
  readonly type: 'alert'
  readonly identity: Identity
  readonly stepUp: StepUp
  readonly challenge: null
  readonly locale: string
  /** Milliseconds, when the wrong codes were typed. */
  readonly at: number
}
