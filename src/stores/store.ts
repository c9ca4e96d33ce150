import type { CodeKind } from '../crypto/code.js'
import type { Limit } from './gcra.js'

/** A challenge that may be opened: its id, and the digests of its short and its long code. */
export interface Candidate {
  /** 22 characters of base64url. */
  readonly id: string
  /** Keyed hash of the short code, 43 characters of base64url. */
  readonly short: string
  /** Keyed hash of the long code, 43 characters of base64url. */
  readonly long: string
}

/** A further bucket of the user, from which opening takes a permit too. */
export interface ExtraBucket extends Limit {
  /** Name of the bucket. The buckets of one request have different names; none is `failures`, `sends` or `resend`. */
  readonly bucket: string
  /** Counts only if the fresh challenge is opened, not a repeated one. */
  readonly onlyIfFresh?: boolean
}

/**
 * Takes a permit from `sends`, `resend` and each of `extraBuckets`, or from none of them; opens the existing challenge
 * again, or else the fresh one.
 */
export interface OpenRequest {
  /** Keyed hash of a user id or an address; a store sees neither. On Redis the hash tag of all keys of this user. */
  readonly user: string
  /** The challenge in the session, if any. It is opened again only while it is live; an ended id never comes back. */
  readonly existing: Candidate | null
  /** The challenge to open otherwise. Its id is new. */
  readonly fresh: Candidate
  /** Lifetime of a fresh challenge in seconds. Opening an existing one again does not extend it. */
  readonly lifetime: number
  /** Number of guesses at a fresh challenge. */
  readonly attempts: number
  /** Limit of the user's bucket that counts mails: `sends`, or the one that `bucket` names. */
  readonly sends: Limit & { readonly bucket?: string }
  /** Limit of the challenge's bucket `resend:<id>`. */
  readonly resend: Limit
  /** Limit of the user's bucket `failures`. Once it is empty, codes are long until half of its capacity is back. */
  readonly failures: Limit
  /** Further buckets, three at most. All permits are taken, or none. */
  readonly extraBuckets?: readonly ExtraBucket[]
  /**
   * Whether the user is a typed address or a network, which strangers can make up. A store with bounded room keeps a
   * share of it for other users.
   */
  readonly isAnonymous?: boolean
}

export type OpenOutcome =
  | {
      readonly outcome: 'opened'
      /** Id of the candidate that was opened. */
      readonly id: string
      /** Whether that is the existing one. */
      readonly repeated: boolean
      /** Which of its codes is valid, and is to be mailed. */
      readonly kind: CodeKind
      readonly attemptsLeft: number
      /** Whole seconds until the challenge expires, rounded up. */
      readonly expiresIn: number
    }
  | {
      /** No permit: nothing was changed. */
      readonly outcome: 'throttled'
      /**
       * The bucket with the longest wait: `resend`; `sends`, whatever name that bucket has; or the name of an extra
       * bucket. Of equal waits, in whole seconds, the first in this order is named.
       */
      readonly bucket: string
      /** Whole seconds until it has a permit, rounded up. */
      readonly retryAfter: number
    }

/** One guess at a code. It is counted before it is compared; a match ends the challenge. */
export interface Attempt {
  /** As in {@link OpenRequest}. */
  readonly user: string
  /** Id of the challenge. */
  readonly id: string
  /** The kind of code that was typed. */
  readonly kind: CodeKind
  /** Keyed hash of what was typed, made with the current user, purpose and details. */
  readonly digest: string
  /** Limit of the user's bucket `failures`, from which a wrong short code takes a permit. */
  readonly failures: Limit
  /** As in {@link OpenRequest}. */
  readonly isAnonymous?: boolean
}

export type RedeemOutcome =
  /** The right code. The challenge has ended, and the permits that its wrong codes took are refunded. */
  | { readonly outcome: 'redeemed' }
  /** Counted and wrong. `escalated`: this guess emptied the user's bucket `failures`. */
  | { readonly outcome: 'mismatch'; readonly attemptsLeft: number; readonly escalated: boolean }
  /** No attempts left. Nothing was compared or counted. */
  | { readonly outcome: 'exhausted' }
  /** There is no such challenge, or it has ended. Nothing was compared or counted. */
  | { readonly outcome: 'not_found' }
  /** Another kind of code is valid, or short codes of this user are disabled. Nothing was compared or counted. */
  | { readonly outcome: 'long_code_required' }

/** Takes a permit from a bucket of a user, or refunds one. */
export interface BucketRequest extends Limit {
  /** As in {@link OpenRequest}. */
  readonly user: string
  /** Name of the bucket. */
  readonly bucket: string
  /** 1 takes a permit (the default), -1 refunds one. */
  readonly permits?: 1 | -1
  /** As in {@link OpenRequest}. */
  readonly isAnonymous?: boolean
}

export type SpendOutcome =
  | { readonly outcome: 'spent' }
  /** No permit: nothing was changed. `retryAfter`: whole seconds until there is one, rounded up. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number }

/**
 * Keeps challenges and buckets. Each method is one atomic operation. No method only reads, so nobody can write
 * check-then-act. A store uses its own clock: requests and outcomes contain durations only.
 *
 * A store throws on any failure, and the request ends as 503. `storeConformance` tests an implementation.
 */
export interface OtpStore {
  /** Counts a send and opens a challenge. */
  open(request: OpenRequest): Promise<OpenOutcome>
  /** Counts a guess, compares it, and on a match ends the challenge. */
  redeem(attempt: Attempt): Promise<RedeemOutcome>
  /** Takes a permit from any bucket, or refunds one. */
  spend(request: BucketRequest): Promise<SpendOutcome>
  /** Seconds after which an operation counts as failed; 2 by default. It may still take effect. */
  readonly deadline?: number
  /** Releases timers and connections that belong to the store. */
  close?(): Promise<void>
}
