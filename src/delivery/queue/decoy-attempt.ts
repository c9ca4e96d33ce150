import type { RealTime } from './delayed-starts.js'
import type { OutgoingMessage } from '../smtp/send-once.js'
import { composeMime } from '../../mail/mime.js'

/** The attempt of a decoy. */
export interface DecoyAttempt {
  readonly ended: Promise<unknown>
  /** Ends it before its time. */
  readonly end: () => void
}

/** Composes the message as for sending, and lasts as long as an attempt at a mail. */
export function attemptDecoy(
  { message }: Pick<OutgoingMessage, 'message'>,
  durationMs: number,
  realTime: RealTime,
): DecoyAttempt {
  let end = (): void => undefined
  const held = new Promise<void>((resolve) => {
    const cancelTimer = realTime.after(durationMs, resolve)
    end = () => {
      cancelTimer()
      resolve()
    }
  })
  // If it fails, so does the mail of an address that is mailed, which is reported.
  const composed = composeMime(message).catch(() => undefined)
  return { ended: Promise.all([composed, held]), end }
}
