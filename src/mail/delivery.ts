import { type Limit, take } from '../bucket.js'
import { within } from '../deadline.js'
import { attempt, type Letter } from './attempt.js'
import { Breaker, type BreakerListener, type BreakerState } from './breaker.js'
import { type Delivery, type Failure, failureOf } from './failure.js'
import { type Entry, Letters, type News, type Post, type Withdrawn } from './letters.js'
import { nextTry } from './retry.js'
import type { MailSettings } from './transport.js'

/** Where sending stands. */
export interface MailHealth {
  /** Mails that wait or are being handed over; 500 at most. */
  readonly queue: number
  readonly breaker: BreakerState
  /** Class of the newest failure; null when there was none. */
  readonly lastError: Failure['class'] | null
  /** Seconds until mail is taken again; 0 while it is. */
  readonly retryAfter: number
}

/** Room for one letter, taken before any address is looked at. Post into it or release it. */
export interface Place {
  readonly post: (post: Post) => void
  readonly release: () => void
}

/** Why no mail is taken at the moment, and after how many seconds to ask again. */
export interface NoPlace {
  readonly reason: 'breaker_open' | 'queue_full' | 'closed'
  readonly retryAfter: number
}

/** Hands letters to the mail server: bounded queue, rate, at most as many at once as there are connections. */
export interface Mailer {
  readonly reserve: () => Place | NoPlace
  /** Ends what still waits for a challenge, as told. Whether there was something to end. */
  readonly withdraw: (challenge: string, end: Failure | Withdrawn) => boolean
  /** Tries once and past the queue: for those who have a queue of their own. */
  readonly tryOnce: (letter: Letter) => Promise<Delivery>
  readonly health: () => MailHealth
  /** Takes no more mail, gives what waits a last try (10 s in all), and ends the pool. */
  readonly close: () => Promise<void>
}

const MOST_LETTERS = 500
const LONGEST_FAREWELL_MS = 10_000
/** Seconds after which a full queue is worth another look. */
const FULL_PAUSE = 10
/** The clock is looked at this often while letters wait, so that only the clock says when something is due. */
const LOOK_MS = { least: 10, most: 250 }
const SWEEP_MS = 100
const CLOSED = failureOf('connect', 'closed')
const TOO_LATE = failureOf('connect', 'too late')

export function createMailer(mail: MailSettings, now: () => number, tellBreaker: BreakerListener): Mailer {
  const letters = new Letters(now)
  const breaker = new Breaker(now, tellBreaker)
  const rate: Limit | null = mail.rate === null ? null : { capacity: Math.ceil(mail.rate / 10), refill: 1 / mail.rate }
  let [rateFull, pausedUntil, reserved, sweptAt] = [0, 0, 0, 0]
  let lastError: MailHealth['lastError'] = null
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  /** Sends whatever may go now, and looks again when the next letter is due. */
  function look(): void {
    clearTimeout(timer)
    sweep()
    if (isClosed && breaker.state === 'open') for (const entry of letters.waiting()) letters.end(entry, CLOSED)
    while (letters.flying < mail.lanes && now() >= pausedUntil) {
      const entry = letters.next()
      if (entry === null) break
      const taken = rate && take(rateFull, now(), rate)
      if (taken?.granted === false) break
      const pass = breaker.admit()
      if (pass === null) break
      if (taken) rateFull = taken.full
      void fly(entry, pass)
    }
    if (letters.size === letters.flying) return
    // With every lane taken only a landing makes room, and that looks by itself.
    const wait = letters.flying < mail.lanes ? letters.nextDue() - now() : LOOK_MS.most
    timer = setTimeout(look, Math.min(Math.max(wait, LOOK_MS.least), LOOK_MS.most)).unref()
  }

  /** Ends what has become too late. It asks all letters, so not at every look, but whenever the clock has moved on. */
  function sweep(): void {
    if (Math.abs(now() - sweptAt) < SWEEP_MS) return
    sweptAt = now()
    for (const entry of letters.tooLate()) letters.end(entry, entry.last ?? TOO_LATE)
  }

  async function fly(entry: Entry, pass: 'free' | 'probe'): Promise<void> {
    letters.takeOff(entry)
    const began = performance.now()
    const delivery = await attempt(mail.transporter, entry.post)
    const ms = performance.now() - began
    breaker.report(pass, delivery)
    const again = delivery.outcome === 'accepted' || isClosed ? null : nextTry(delivery, entry, now())
    if (delivery.outcome !== 'accepted') {
      lastError = delivery.class
      // "Too fast" is meant for all letters, not for this one.
      if (delivery.class === 'quota' && !delivery.isDaily) pausedUntil = again ?? now()
    }
    letters.land(entry, delivery, ms, again)
    look()
  }

  return {
    reserve() {
      if (isClosed) return { reason: 'closed', retryAfter: FULL_PAUSE }
      if (breaker.state === 'open') return { reason: 'breaker_open', retryAfter: breaker.retryAfter }
      if (letters.size + reserved >= MOST_LETTERS) return { reason: 'queue_full', retryAfter: FULL_PAUSE }
      reserved += 1
      let isHeld = true
      const release = (): void => {
        if (isHeld) reserved -= 1
        isHeld = false
      }
      const post = (one: Post): void => {
        release()
        if (isClosed) {
          one.tell({ delivery: CLOSED, attempt: 0, ms: 0, again: null })
          return
        }
        letters.add(one)
        look()
      }
      return { post, release }
    },
    withdraw: (challenge, end) => letters.withdraw(challenge, end),
    async tryOnce(letter) {
      const pass = isClosed ? null : breaker.admit()
      if (pass === null) return isClosed ? CLOSED : failureOf('connect', 'breaker open')
      return new Promise((resolve) => {
        const tell = ({ delivery }: News): void => {
          resolve(delivery.outcome === 'withdrawn' ? CLOSED : delivery)
        }
        void fly(letters.once({ ...letter, key: '', challenge: '', expires: 0, tell }), pass)
      })
    },
    health: () => ({ queue: letters.size, breaker: breaker.state, lastError, retryAfter: breaker.retryAfter }),
    async close() {
      isClosed = true
      letters.hurry()
      look()
      await within(LONGEST_FAREWELL_MS, letters.allGone()).catch(() => undefined)
      clearTimeout(timer)
      letters.endAll(CLOSED)
      mail.close()
    },
  }
}
