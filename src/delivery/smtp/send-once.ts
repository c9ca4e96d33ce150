import { createTransport } from 'nodemailer'
import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import { classifyFailure, localFailure, type SendResult } from './classify.js'
import { withTimeout } from '../../timeout.js'

/** A message of nodemailer, and its one recipient. */
export interface OutgoingMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly address: string
  /** What no log and no event may show, whatever a server says. */
  readonly secrets: readonly string[]
}

interface SendDeps {
  readonly transporter: MailTransporter
  readonly clock: Clock
}

const SEND_TIMEOUT_MS = 20_000

/** Those that ended nothing are used again: making one would cost more than all else that is done for a mail here. */
const unusedControllers: AbortController[] = []

/** Makes one attempt to send a message. Never rejects: a failure is a result. */
export async function sendOnce({ transporter, clock }: SendDeps, mail: OutgoingMessage): Promise<SendResult> {
  const abort = unusedControllers.pop() ?? new AbortController()
  try {
    const sending = Promise.resolve(transporter.sendMail({ ...mail.message, signal: abort.signal }))
    const info = (await withTimeout(clock, SEND_TIMEOUT_MS, sending)) as { accepted?: unknown } | null
    unusedControllers.push(abort)
    // The server must have taken this address and no other (GHSA-mm7p-fcc7-pg87).
    const accepted = Array.isArray(info?.accepted) ? (info.accepted as unknown[]) : []
    if (accepted.length === 1 && addressOf(accepted[0]) === mail.address) return { outcome: 'accepted' }
    // No retry: the other address would get it twice.
    return localFailure('config', 'accepted for another address')
  } catch (error) {
    // nodemailer's timeouts do not end a conversation in which the server sends a byte now and then. The signal does.
    abort.abort(error)
    return classifyFailure(error, mail.secrets)
  }
}

const streamTransport = createTransport({ streamTransport: true, buffer: true })

/** Composes a message as `sendOnce` does, without sending it. */
export async function composeOnly(message: OutgoingMessage['message']): Promise<void> {
  await streamTransport.sendMail({ ...message })
}

function addressOf(accepted: unknown): unknown {
  return typeof accepted === 'object' && accepted !== null ? (accepted as { address?: unknown }).address : accepted
}
