import type { Failure } from './failure.js'
import type { Post, Withdrawn } from './post.js'
import type { Tries } from './retry.js'

/** A letter with its tries so far. */
export interface Entry extends Tries {
  readonly post: Post
  count: number
  firstAt: number
  until: number
  due: number
  last: Failure | null
  /** Nobody waits for it any more, since it was under way. */
  withdrawn: Failure | Withdrawn | null
  isOver: boolean
}

const FRESH = { count: 0, last: null, withdrawn: null, isOver: false }

/** One that waits, and may go at once. */
export function waitingEntry(post: Post, now: number): Entry {
  return { ...FRESH, post, firstAt: now, until: post.until, due: now }
}

/** One that is tried once and never waits. */
export function singleEntry(post: Post): Entry {
  return { ...FRESH, post, firstAt: 0, until: -Infinity, due: 0 }
}
