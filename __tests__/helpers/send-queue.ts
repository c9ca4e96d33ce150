import { type Clock, systemClock } from '../../src/clock.js'
import { type MailSettings, resolveMailSettings } from '../../src/config/mail-settings.js'
import { SendQueue, type SendQueueOptions } from '../../src/delivery/queue/send-queue.js'
import type { SendResult } from '../../src/delivery/smtp/classify.js'
import type { MailTransporter, OtpOptions } from '../../src/index.js'
import { Gate } from './gate.js'

type Mail = Partial<OtpOptions['mail']> & Pick<OtpOptions['mail'], 'transport'>

/** The send queue by itself. */
export function queueOf(
  mail: Mail | MailSettings,
  clock: Clock = systemClock,
  options: SendQueueOptions = {},
): SendQueue {
  const settings = 'transporter' in mail ? mail : resolveMailSettings({ from: 'Acme <no-reply@acme.example>', ...mail })
  return new SendQueue(settings, clock, () => undefined, options)
}

/** One attempt at one message. */
export async function sendOnce(queue: SendQueue, message: object, address: string): Promise<SendResult> {
  const job = { message: { ...message }, address, secrets: [] }
  return (await queue.sendJob(job, 'signed-in', 1e9)).result
}

/** What nodemailer throws when a server gives this reply to a command. */
export function smtpError(reply: string, command = 'RCPT TO'): Error {
  const code = command === 'CONN' ? 'EPROTOCOL' : 'EENVELOPE'
  return Object.assign(new Error(reply), { code, command, responseCode: Number(reply.slice(0, 3)), response: reply })
}

export const REFUSED_CONNECTION = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ESOCKET', command: 'CONN' })

/** A transport that does as it is told. */
export class FakeTransport implements MailTransporter {
  readonly options: { maxConnections: number }
  /** Addresses, one for each attempt. */
  readonly attempts: string[] = []
  /** Attempts under way, and the most that there were at once. */
  inFlight = 0
  mostInFlight = 0
  /** What attempts end with; null accepts the mail. */
  error: Error | null = null
  /** While there is one, attempts wait for it. */
  gate: Gate | null = null

  constructor(maxConnections = 3) {
    this.options = { maxConnections }
  }

  async sendMail({ to }: Record<string, unknown>): Promise<unknown> {
    const { address } = to as { address: string }
    this.attempts.push(address)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      await this.gate?.opened
      if (this.error) throw this.error
      return { accepted: [address] }
    } finally {
      this.inFlight -= 1
    }
  }
}

/** One that can check its connection. */
export class CheckedTransport extends FakeTransport {
  checks = 0
  /** What checks end with, as `error` is for mails; `false` is a transport that cannot check. */
  checkError: Error | false | null = null
  checkGate: Gate | null = null

  verify(): Promise<true> | false {
    this.checks += 1
    return this.checkError === false ? false : this.#check(this.checkError)
  }

  async #check(error: Error | null): Promise<true> {
    await this.checkGate?.opened
    if (error) throw error
    return true
  }
}
