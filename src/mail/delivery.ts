import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { OtpError } from '../errors.js'
import { classifyFailure, type Delivery } from './failure.js'
import type { MailSettings } from './transport.js'

/** Hands messages to the mail server. */
export interface Mailer {
  /** Sends one message to exactly one address. Never rejects: how it ended is the outcome. */
  deliver(message: Record<string, unknown>, address: string): Promise<Delivery>
  /** Composes a message as `deliver` would, and sends it nowhere. */
  discard(message: Record<string, unknown>): Promise<Delivery>
  /** Takes no more mail, lets what is on its way finish (10 s at most), and ends the pool. */
  close(): Promise<void>
}

const LONGEST_ATTEMPT_MS = 20_000
const LONGEST_FAREWELL_MS = 10_000

export function createMailer({ transporter, close }: MailSettings): Mailer {
  const underWay = new Set<Promise<Delivery>>()
  const nowhere = createTransport({ streamTransport: true, buffer: true })
  let isClosed = false

  async function send(message: Record<string, unknown>, address: string): Promise<Delivery> {
    try {
      // Timeouts of the connection do not stop a server that trickles; the signal does.
      const signal = AbortSignal.timeout(LONGEST_ATTEMPT_MS)
      const info = (await transporter.sendMail({ ...message, signal })) as { accepted?: unknown } | null
      // The server must have taken this address and no other (GHSA-mm7p-fcc7-pg87).
      const accepted = Array.isArray(info?.accepted) ? (info.accepted as unknown[]) : []
      if (accepted.length === 1 && addressOf(accepted[0]) === address) return { outcome: 'accepted' }
      throw new OtpError('mail_failed', 'The transport did not report exactly the given address as accepted.')
    } catch (error) {
      return classifyFailure(error)
    }
  }

  return {
    async deliver(message, address) {
      if (isClosed) return { outcome: 'unavailable', class: 'connect', reason: 'closed' }
      const delivery = send(message, address)
      underWay.add(delivery)
      return delivery.finally(() => underWay.delete(delivery))
    },
    async discard(message) {
      await nowhere.sendMail(message)
      return { outcome: 'accepted' }
    },
    async close() {
      isClosed = true
      const patience = new AbortController()
      const farewell = sleep(LONGEST_FAREWELL_MS, undefined, { signal: patience.signal }).catch(() => undefined)
      await Promise.race([Promise.all(underWay), farewell])
      patience.abort()
      close()
    },
  }
}

function addressOf(accepted: unknown): unknown {
  return typeof accepted === 'object' && accepted !== null ? (accepted as { address?: unknown }).address : accepted
}
