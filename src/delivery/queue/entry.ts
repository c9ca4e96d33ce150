import type { Post, Withdrawn } from './queued-mail.js'
import type { AttemptHistory } from './retry-schedule.js'
import type { Failure } from '../smtp/classify.js'

/** A letter with its tries so far. */
export interface Entry extends AttemptHistory {
  readonly post: Post
  count: number
  firstAt: number
  until: number
  due: number
  last: Failure | null
  /** Nobody waits for it any more, since it was under way. */
  withdrawn: Withdrawn | null
  isOver: boolean
}

/** One that waits, and may go at once. */
export function waitingEntry(post: Post, now: number): Entry {
  return entry(post, now, post.until)
}

/** One that is tried once and never waits. */
export function singleEntry(post: Post): Entry {
  return entry(post, 0, -Infinity)
}

function entry(post: Post, now: number, until: number): Entry {
  return { post, count: 0, firstAt: now, until, due: now, last: null, withdrawn: null, isOver: false }
}
