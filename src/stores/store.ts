import type { CodeKind } from '../crypto/code.js'
import type { Limit } from './gcra.js'

/** A challenge that may be opened: its id and the digests of its short and its long code. */
export interface Candidate {
  readonly id: string
  readonly short: string
  readonly long: string
}

/** Take one send from the user's bucket; repeat the challenge that the session knows of, or begin another. */
export interface OpenRequest {
  /** Keyed hash of a user id or address: a store never sees either. Redis keys of one user share it as hash tag. */
  readonly user: string
  /** What the session believes to be open. Repeated only while it is alive; an ended id never comes back. */
  readonly existing: Candidate | null
  /** What to begin otherwise; its id is fresh. */
  readonly fresh: Candidate
  /** Seconds that the challenge can be redeemed, from its beginning; a repeat does not extend it. */
  readonly lifetime: number
  /** Guesses that the challenge takes. */
  readonly attempts: number
  /** Bucket `sends` of the user. */
  readonly sends: Limit
  /** Bucket `resend:<id>` of the challenge. */
  readonly resend: Limit
  /** Bucket `failures` of the user: once empty, and until half of it is back, codes are long. */
  readonly failures: Limit
}

export type OpenOutcome =
  | {
      readonly outcome: 'opened'
      /** Which candidate lives now. */
      readonly id: string
      readonly repeated: boolean
      /** Which of the two digests was taken, so which code to mail. */
      readonly kind: CodeKind
      readonly attemptsLeft: number
      /** Seconds until the challenge ends. */
      readonly expiresIn: number
    }
  | {
      readonly outcome: 'throttled'
      readonly bucket: 'sends' | 'resend'
      /** Whole seconds until a permit is back. */
      readonly retryAfter: number
    }

/** Count one attempt, compare, and on a match end the challenge. */
export interface Attempt {
  readonly user: string
  readonly id: string
  /** The kind of code that was typed. */
  readonly kind: CodeKind
  /** Digest of what was typed, made from the user, purpose and details of now. */
  readonly digest: string
  readonly failures: Limit
}

export type RedeemOutcome =
  | { readonly outcome: 'redeemed' }
  /** Counted and wrong. `escalated`: this one emptied the user's `failures` bucket. */
  | { readonly outcome: 'mismatch'; readonly attemptsLeft: number; readonly escalated: boolean }
  /** All attempts are used; nothing was compared. */
  | { readonly outcome: 'exhausted' }
  /** No such challenge, or it ended; nothing was compared. */
  | { readonly outcome: 'not_found' }
  /** Short codes of this user are void; nothing was compared or counted. */
  | { readonly outcome: 'long_code_required' }

/** Take permits from a bucket of a user, or with a negative number give them back. */
export interface BucketRequest extends Limit {
  readonly user: string
  readonly bucket: string
  /** 1 takes one (the default), -1 gives one back. */
  readonly permits?: 1 | -1
}

export type SpendOutcome =
  { readonly outcome: 'spent' } | { readonly outcome: 'throttled'; readonly retryAfter: number }

/**
 * Where challenges and buckets live. Each method is one atomic act; there is no method that reads, so that
 * check-then-act cannot be written. A store keeps its own clock: only durations cross this line. Whatever goes wrong
 * is thrown, and the request ends as 503.
 */
export interface OtpStore {
  open(request: OpenRequest): Promise<OpenOutcome>
  redeem(attempt: Attempt): Promise<RedeemOutcome>
  spend(request: BucketRequest): Promise<SpendOutcome>
  /** Seconds that an act may take before the request ends as 503; 2 where a store says nothing. */
  readonly deadline?: number
  close?(): Promise<void>
}
