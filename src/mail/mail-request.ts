import type { OpenChallenge } from '../challenge/records.js'
import type { StepUp } from '../challenge/step-up.js'
import type { Identity } from '../identity/user.js'

/** What to mail to whom. The code is not in it: it is derived when the mail is composed. */
export type MailRequest = CodeMailRequest | AlertMailRequest

/** The part of a challenge that its mail is made of. */
export type MailedChallenge = Pick<
  OpenChallenge,
  'id' | 'secret' | 'kind' | 'purpose' | 'details' | 'tag' | 'locale' | 'identity' | 'expires'
>

export interface CodeMailRequest {
  readonly type: 'code'
  readonly identity: Identity
  readonly stepUp: Pick<StepUp, 'purpose' | 'description'>
  readonly challenge: MailedChallenge
}

export interface AlertMailRequest {
  readonly type: 'alert'
  readonly identity: Identity
  readonly stepUp: Pick<StepUp, 'purpose'>
  readonly challenge: null
  readonly locale: string
  /** Milliseconds, when the wrong codes were typed. */
  readonly at: number
}
