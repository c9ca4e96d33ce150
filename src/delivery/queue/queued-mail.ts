import { type Failure, localFailure, type SendResult } from '../smtp/classify.js'
import type { OutgoingMessage } from '../smtp/send-once.js'

/** A letter on its way. */
export interface Post extends OutgoingMessage {
  /** One letter for each waits at a time; a newer one takes its place. */
  readonly key: string
  /** The challenge that it belongs to. */
  readonly challenge: string
  /** To somebody who is signed in: goes before those to addresses that anybody may have typed. */
  readonly isKnown: boolean
  /** Milliseconds, when the last try may begin. */
  readonly until: number
  /** Told of every try, and of the end. */
  readonly tell: (news: News) => void
}

/** What became of a letter: of one try, or at last, when `again` is null. */
export interface News {
  readonly delivery: SendResult | Withdrawn
  /** How many tries there were. */
  readonly attempt: number
  /** Milliseconds that the try took. */
  readonly ms: number
  /** Milliseconds of the clock, when it is tried again; null when it is not. */
  readonly again: number | null
}

/** It was not tried any more, since nobody waits for it. */
export interface Withdrawn {
  readonly outcome: 'cancelled'
  readonly reason: 'used' | 'replaced' | 'superseded'
}

/** What becomes of a letter that a newer one displaces: nothing is lost if that is about the same challenge. */
export function replacement(older: Post, newer: Post): Failure | Withdrawn {
  if (older.challenge === newer.challenge) return { outcome: 'cancelled', reason: 'replaced' }
  return localFailure('aborted', 'replaced')
}
