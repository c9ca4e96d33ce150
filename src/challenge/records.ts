import type { CodeKind } from '../crypto/code.js'
import type { IdentityRef } from '../identity/user.js'

/** What the session remembers of a challenge. No counter: a session writes whole, and the last writer wins. */
export interface OpenChallenge {
  readonly id: string
  /** Fingerprint of the secret that made it. */
  readonly secret: string
  readonly kind: CodeKind
  readonly purpose: string
  readonly details: string | null
  readonly tag: string
  readonly masked: string
  readonly locale: string
  readonly identity: IdentityRef
  /** Milliseconds, for the page; the store decides by its own clock. */
  readonly expires: number
  readonly resendAt: number
  /** Names the newest send of this code: what became of its mail is looked up by it. */
  readonly sendId: string
  /** Milliseconds, when the newest mail was asked for. */
  readonly sentAt: number
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** An earlier mail with this very code went out. */
  readonly wasMailed: boolean
  /** The store said that it takes no more guesses; only what the page offers depends on it. */
  readonly isUsedUp: boolean
}

/** The record that a verification succeeded. */
export interface Grant {
  readonly id: string
  /** Milliseconds, when the code was redeemed. Never refreshed by use. */
  readonly at: number
  readonly purpose: string
  readonly details: string | null
  readonly identity: IdentityRef
}
