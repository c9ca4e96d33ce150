import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export interface Received {
  readonly from: string
  readonly to: string[]
  readonly raw: string
  readonly mail: ParsedMail
}

/** A real SMTP server on loopback that keeps what it gets. */
export class Mailbox {
  readonly received: Received[] = []
  readonly #server: SMTPServer
  #waiting: (() => void)[] = []

  constructor(options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      closeTimeout: 100,
      onData: (stream, session, done) => {
        void (async () => {
          const chunks: Buffer[] = []
          for await (const chunk of stream) chunks.push(chunk as Buffer)
          const raw = Buffer.concat(chunks).toString('utf8')
          const mail = await simpleParser(raw)
          const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : ''
          this.received.push({ from, to: session.envelope.rcptTo.map((one) => one.address), raw, mail })
          done()
          for (const wake of this.#waiting.splice(0)) wake()
        })()
      },
      ...options,
    })
    this.#server.on('error', () => undefined)
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server.server, 'listening')
    return this
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`
  }

  /** Waits until `count` mails have come in all. */
  async mails(count: number): Promise<Received[]> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.received
  }

  /** Waits for a mail to an address, the first one. */
  async mailTo(address: string): Promise<Received> {
    for (;;) {
      const found = this.received.find(({ to }) => to.includes(address))
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  get last(): Received {
    const last = this.received.at(-1)
    if (!last) throw new Error('no mail has come')
    return last
  }

  /** The code in the newest mail, as a person reads it. */
  get code(): string {
    return codeIn(this.last)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(resolve)
    })
  }
}

/** The code stands alone on its line. */
export function codeIn({ mail }: Pick<Received, 'mail'>): string {
  const line = /^(?:\d{4,18}|[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}|[A-Z0-9]{4,32})$/m.exec(mail.text ?? '')
  if (!line) throw new Error(`no code in:\n${mail.text ?? ''}`)
  return line[0]
}

/** Some other code of the same length. */
export function wrongCode(code: string): string {
  return code.replace(/^./, (first) => (first === '1' ? '2' : '1'))
}
