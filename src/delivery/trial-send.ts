import { randomUUID } from 'node:crypto'
import { FAILURE_POLICY } from './smtp/failure-policy.js'
import { sendOnce } from './smtp/send-once.js'
import type { MailSettings } from '../config/mail-settings.js'
import type { Settings } from '../config/settings.js'

interface TestSendDeps {
  readonly settings: Pick<Settings, 'clock'>
  readonly mailSettings: MailSettings
}

/** How the send of a test mail ended, for the developer who asked for it. */
export interface TestSend {
  readonly outcome: 'accepted' | 'failed'
  /** Host and port of the server, or that the transport does not name one. */
  readonly server: string
  readonly encryption: string
  /** What the server said; of a failure the codes too. */
  readonly answer: string
  /** What to do about a failure; else empty. */
  readonly advice: string
  readonly ms: number
  /** Bytes on the wire, if the transport tells. */
  readonly bytes: number | null
}

/** Sends a message of nodemailer once, past the queue, with [TEST] in its subject. Never rejects. */
export async function sendTestMail(
  { settings, mailSettings }: TestSendDeps,
  message: Readonly<Record<PropertyKey, unknown>>,
  address: string,
): Promise<TestSend> {
  const { transporter, from } = mailSettings
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  let info: unknown
  const watched = {
    async sendMail(mail: Record<string, unknown>) {
      info = await transporter.sendMail(mail)
      return info
    },
  }
  const testMessage = {
    ...message,
    to: { name: '', address },
    subject: `[TEST] ${String(message.subject)}`,
    messageId: `<${randomUUID()}@${domain}>`, // a mailbox drops a second mail with the same one
  }
  const begun = performance.now()
  const result = await sendOnce(
    { transporter: watched, clock: settings.clock },
    { message: testMessage, address, secrets: [] },
  )
  const { response, messageSize } = (info ?? {}) as { response?: unknown; messageSize?: unknown }
  return {
    outcome: result.outcome === 'accepted' ? 'accepted' : 'failed',
    ...describeServer(transporter),
    answer: result.outcome === 'accepted' ? textOf(response) : [result.reason, result.text].filter(Boolean).join(': '),
    advice: result.outcome === 'accepted' ? '' : (result.advice ?? FAILURE_POLICY[result.failureClass].advice),
    ms: Math.round(performance.now() - begun),
    bytes: typeof messageSize === 'number' ? messageSize : null,
  }
}

function describeServer(transporter: object): Pick<TestSend, 'server' | 'encryption'> {
  const { options } = transporter as {
    options?: { host?: string; port?: number; secure?: boolean; requireTLS?: boolean }
  }
  if (options?.host === undefined) return { server: 'a transport of your own', encryption: 'not known here' }
  const { host, secure = false, port = secure ? 465 : 587, requireTLS = false } = options
  const encryption = secure
    ? 'TLS from the first byte'
    : requireTLS
      ? 'STARTTLS, else nothing is sent'
      : 'only if the server offers STARTTLS'
  return { server: `${host}:${port}`, encryption }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'The transport took it.'
}
