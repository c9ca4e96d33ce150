import type { Binding } from './step-up.js'
import type { CodeKind } from '../crypto/code.js'
import type { IdentityRef } from '../identity/user.js'

/** A challenge as the session stores it. Without a counter: of parallel requests the last write of a session wins. */
export interface OpenChallenge extends Binding {
  readonly id: string
  /** Fingerprint of the secret that made it. */
  readonly secret: string
  readonly kind: CodeKind
  readonly tag: string
  readonly locale: string
  readonly identity: IdentityRef
  /** Milliseconds, for the page. The store decides by its own clock. */
  readonly expires: number
  /** Milliseconds, when the newest mail was requested. */
  readonly sentAt: number
  /** Id of the newest send. The process that sends the mail keeps its delivery status under this id. */
  readonly sendId: string
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** An earlier mail with the same code may have arrived. */
  readonly wasMailed: boolean
  /** The store takes no more guesses. Only what the page offers depends on it. */
  readonly isUsedUp: boolean
}

/** The record of a verification. */
export interface Grant extends Binding {
  readonly id: string
  /** Milliseconds, when the code was redeemed. Never refreshed by use. */
  readonly at: number
  readonly identity: IdentityRef
}
