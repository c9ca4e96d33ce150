import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../clock.js'
import type { MailSettings } from '../../config/mail-settings.js'
import { Breaker, type BreakerListener } from './circuit-breaker.js'
import { Letters } from './entries.js'
import { type Entry, singleEntry } from './entry.js'
import type { MailHealth } from './health.js'
import type { News, Withdrawn } from './queued-mail.js'
import { Rate } from './rate.js'
import { nextRetryAt } from './retry-schedule.js'
import { type Place, Places, type Rejection } from './slots.js'
import { type Failure, localFailure, type SendResult } from '../smtp/classify.js'
import { type OutgoingMessage, sendOnce } from '../smtp/send-once.js'
import { withTimeout } from '../../timeout.js'

/** Hands letters to the mail server: bounded queue, rate, at most as many at once as there are connections. */
export type { Rejection, Reservation } from './slots.js'

export interface Mailer {
  /** `isKnown`: for somebody who is signed in. `isPatient`: the letter may wait until the server is back. */
  readonly reserve: (priority: 'signed-in' | 'anonymous', options?: { canWaitForOutage?: boolean }) => Place | Rejection
  /** Ends what still waits for a challenge, as told. Whether there was something to end. */
  readonly cancel: (challenge: string, end: Failure | Withdrawn) => boolean
  /** Tries once and past the queue: for those who have a queue of their own. */
  readonly tryOnce: (letter: OutgoingMessage, isKnown: boolean, isTooLate?: () => boolean) => Promise<SendResult>
  readonly health: () => MailHealth
  /** Takes no more mail, gives what waits a last try (10 s in all), and ends the pool. */
  readonly close: () => Promise<void>
}

/** "Too fast" holds up everybody, but not as long as any server may wish. */
const LONGEST_PAUSE_MS = 30_000
const LONGEST_FAREWELL_MS = 10_000
/** Seconds after which a full queue is worth another look. */
const FULL_PAUSE = 10
/** The clock is looked at this often while letters wait, so that only the clock says when something is due. */
const LOOK_MS = { least: 10, most: 250 }
const SWEEP_MS = 100
const CLOSED = localFailure('connect', 'closed')
const TOO_LATE = localFailure('connect', 'too late')

/**
 * @param forOthers how many of the lanes letters to addresses that anybody may have typed can take: the rest stays free
 *   for people who are signed in, whatever others type
 */
export function createMailer(
  mail: MailSettings,
  now: () => number,
  tellBreaker: BreakerListener,
  forOthers = mail.connections,
): Mailer {
  const letters = new Letters(now)
  const breaker = new Breaker(now, tellBreaker)
  const rate = new Rate(mail.rate, now)
  const places = new Places(letters)
  let [pausedUntil, sweptAt] = [0, 0]
  let lastError: MailHealth['lastError'] = null
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  /** Sends whatever may go now, and looks again when the next letter is due. */
  function look(): void {
    sweep()
    if (isClosed && breaker.state === 'open') for (const entry of letters.waiting()) letters.end(entry, CLOSED)
    let isTooSoon = false
    while (letters.flying < mail.connections && !isPaused()) {
      const entry = letters.next(letters.flyingOthers >= forOthers)
      if (entry === null) break
      isTooSoon = !rate.take()
      const pass = isTooSoon ? null : breaker.admit()
      if (pass === null) break
      void fly(entry, pass)
    }
    // While every lane is taken, a landing looks by itself, and a look that is set already is soon enough.
    if (letters.flying >= mail.connections && timer !== undefined) return
    clearTimeout(timer)
    timer = undefined
    if (letters.size === letters.flying) return
    const wait = isTooSoon ? LOOK_MS.least : letters.nextDue() - now()
    // What is due and cannot go waits for a landing, which looks by itself, or for a server that is away.
    timer = setTimeout(
      lookAgain,
      wait > 0 ? Math.min(Math.max(wait, LOOK_MS.least), LOOK_MS.most) : LOOK_MS.most,
    ).unref()
  }

  function lookAgain(): void {
    timer = undefined
    look()
  }

  function isPaused(): boolean {
    const rest = pausedUntil - now()
    return rest > 0 && rest <= LONGEST_PAUSE_MS // more than that is a clock that was put back
  }

  /** Ends what has become too late. It asks all letters, so not at every look, but whenever the clock has moved on. */
  function sweep(): void {
    const passed = now() - sweptAt
    if (passed >= 0 && passed < SWEEP_MS) return
    if (passed < 0) letters.shift(-passed) // the clock was put back
    sweptAt = now()
    for (const entry of letters.tooLate()) letters.end(entry, entry.last ?? TOO_LATE)
  }

  async function fly(entry: Entry, pass: 'free' | 'probe'): Promise<void> {
    letters.takeOff(entry)
    const began = performance.now()
    const delivery = await sendOnce(mail, entry.post)
    const ms = performance.now() - began
    breaker.report(pass, delivery, entry.post.isKnown)
    const again = delivery.outcome === 'accepted' || isClosed ? null : nextRetryAt(delivery, entry, now())
    if (delivery.outcome !== 'accepted') {
      lastError = delivery.failureClass
      // "Too fast" is meant for all letters, not for this one.
      const isTooFast =
        delivery.failureClass === 'quota' && delivery.scope === 'server' && !delivery.isDailyQuota && !isClosed
      if (isTooFast) pausedUntil = Math.min(again ?? Infinity, now() + LONGEST_PAUSE_MS)
    }
    letters.land(entry, delivery, ms, again)
    look()
  }

  return {
    reserve(priority, { canWaitForOutage: isPatient = false } = {}) {
      const isKnown = priority === 'signed-in'
      if (isClosed) return { outcome: 'rejected', reason: 'closed', retryAfter: FULL_PAUSE }
      if (breaker.state === 'open' && !isPatient)
        return { outcome: 'rejected', reason: 'breaker_open', retryAfter: breaker.retryAfter }
      if (places.isFull(isKnown)) return { outcome: 'rejected', reason: 'queue_full', retryAfter: FULL_PAUSE }
      return places.take(isKnown, (post) => {
        if (isClosed) return post.tell({ delivery: CLOSED, attempt: 0, ms: 0, again: null })
        sweep() // before it is added: it knows the clock as it is now
        letters.add(post)
        look()
      })
    },
    cancel: (challenge, end) => letters.withdraw(challenge, end),
    async tryOnce(letter, isKnown, isTooLate) {
      // In the pool of nodemailer the wait would count as part of the try.
      while (!isClosed && breaker.state !== 'open' && (letters.flying >= mail.connections || !rate.take())) {
        await (letters.flying >= mail.connections ? letters.landing() : sleep(LOOK_MS.least))
      }
      if (isTooLate?.()) return TOO_LATE
      const pass = isClosed ? null : breaker.admit()
      if (pass === null) return isClosed ? CLOSED : localFailure('connect', 'breaker open')
      return new Promise((resolve) => {
        const tell = ({ delivery }: News): void => {
          resolve(delivery.outcome === 'cancelled' ? CLOSED : delivery)
        }
        void fly(singleEntry({ ...letter, key: '', challenge: '', isKnown, until: 0, tell }), pass)
      })
    },
    health: () => ({ queue: letters.size, breaker: breaker.state, lastError, retryAfter: breaker.retryAfter }),
    async close() {
      isClosed = true
      letters.hurry()
      look()
      await withTimeout(systemClock, LONGEST_FAREWELL_MS, letters.allGone()).catch(() => undefined)
      clearTimeout(timer)
      letters.endAll(CLOSED)
      mail.close()
    },
  }
}
