import { createTransport } from 'nodemailer'
import type { MailSettings } from '../../config/mail-settings.js'
import { classifyFailure, localFailure, type SendResult } from './classify.js'
import { StopSignal } from './stop-signal.js'

/** A message as nodemailer takes it, and the one address that it is for. */
export interface OutgoingMessage {
  readonly message: Readonly<Record<string, unknown>>
  readonly address: string
  /** What no log and no event may show, whatever a server says. */
  readonly secrets: readonly string[]
}

type Sender = Pick<MailSettings, 'transporter' | 'ownsTransport'>

/** What stops a try: the signal that the transporter is given, and how to set it off. */
interface Stop {
  readonly signal: unknown
  readonly abort: (reason: Error) => void
}

const SEND_TIMEOUT_MS = 20_000

/** Tries once to hand a message to the mail server. Never rejects: how it ended is the outcome. */
export async function sendOnce({ transporter, ownsTransport }: Sender, letter: OutgoingMessage): Promise<SendResult> {
  // Timeouts of the connection do not stop a server that trickles; this does, and also a transporter that knows no signal.
  const stop = ownsTransport ? ourStop() : nodesStop()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = Object.assign(new Error('It took too long.'), { code: 'EABORT' })
      reject(error)
      stop.abort(error)
    }, SEND_TIMEOUT_MS).unref()
  })
  try {
    const sending = transporter.sendMail({ ...letter.message, signal: stop.signal })
    const info = (await Promise.race([sending, late])) as { accepted?: unknown } | null
    // The server must have taken this address and no other (GHSA-mm7p-fcc7-pg87).
    const accepted = Array.isArray(info?.accepted) ? (info.accepted as unknown[]) : []
    if (accepted.length === 1 && addressOf(accepted[0]) === letter.address) return { outcome: 'accepted' }
    // Not tried again: whoever got it would get it twice.
    return localFailure('config', 'accepted for another address')
  } catch (error) {
    return classifyFailure(error, letter.secrets)
  } finally {
    clearTimeout(timer)
  }
}

function ourStop(): Stop {
  const signal = new StopSignal()
  return {
    signal,
    abort: (reason) => {
      signal.abort(reason)
    },
  }
}

function nodesStop(): Stop {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    abort: (reason) => {
      controller.abort(reason)
    },
  }
}

const streamTransport = createTransport({ streamTransport: true, buffer: true })

/** Composes a message as `attempt` would, and sends it nowhere. */
export async function composeOnly(message: OutgoingMessage['message']): Promise<void> {
  await streamTransport.sendMail({ ...message })
}

function addressOf(accepted: unknown): unknown {
  return typeof accepted === 'object' && accepted !== null ? (accepted as { address?: unknown }).address : accepted
}
