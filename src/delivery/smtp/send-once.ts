import { createTransport } from 'nodemailer'
import { makeAttempt } from './attempt.js'
import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import { localFailure, type SendResult } from './classify.js'

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

/** Makes one attempt to send a message. Never rejects: a failure is a result. */
export async function sendOnce({ transporter, clock }: SendDeps, mail: OutgoingMessage): Promise<SendResult> {
  return makeAttempt(clock, mail.secrets, async (signal) => {
    const info = (await transporter.sendMail({ ...mail.message, signal })) as { accepted?: unknown } | null
    // The server must have taken this address and no other (GHSA-mm7p-fcc7-pg87).
    const accepted = Array.isArray(info?.accepted) ? (info.accepted as unknown[]) : []
    if (accepted.length === 1 && addressOf(accepted[0]) === mail.address) return { outcome: 'accepted' }
    // No retry: the other address would get it twice.
    return localFailure('config', 'accepted for another address')
  })
}

const streamTransport = createTransport({ streamTransport: true, buffer: true })

/** Composes a message as `sendOnce` does, without sending it. */
export async function composeOnly(message: OutgoingMessage['message']): Promise<void> {
  await streamTransport.sendMail({ ...message })
}

function addressOf(accepted: unknown): unknown {
  return typeof accepted === 'object' && accepted !== null ? (accepted as { address?: unknown }).address : accepted
}
