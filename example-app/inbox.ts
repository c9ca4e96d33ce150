import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail as it arrived. */
export interface Mail {
  readonly id: string
  readonly at: Date
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string | null
  readonly headers: string
}

const MAX_MAILS = 50
const MAX_MAIL_BYTES = 1_000_000

/** An SMTP server that keeps the newest mails instead of relaying them. */
export class Inbox {
  #mails: readonly Mail[] = []
  #count = 0
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    closeTimeout: 500,
    onData: (stream, session, done) => {
      const from = session.envelope.mailFrom ? session.envelope.mailFrom.address : ''
      const to = session.envelope.rcptTo.map(({ address }) => address).join(', ')
      this.#receive(stream, from, to).then(() => {
        done()
      }, done)
    },
  })

  private constructor() {
    this.#server.on('error', (error) => {
      console.error('inbox:', error.message)
    })
  }

  /** Listens on any free port of loopback, so only this machine can deliver to it. */
  static async listen(): Promise<Inbox> {
    const inbox = new Inbox()
    inbox.#server.listen(0, '127.0.0.1')
    await once(inbox.#server.server, 'listening')
    return inbox
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`
  }

  /** Newest first. */
  get mails(): readonly Mail[] {
    return this.#mails
  }

  find(id: string): Mail | null {
    return this.#mails.find((mail) => mail.id === id) ?? null
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(resolve)
    })
  }

  async #receive(stream: Readable, from: string, to: string): Promise<void> {
    const raw = await readAll(stream)
    const { from: author, subject = '', text = '', html } = await simpleParser(raw)
    const [headers = ''] = raw.toString('utf8').split(/\r?\n\r?\n/, 1)
    const id = String(++this.#count)
    const mail: Mail = {
      id,
      at: new Date(),
      from: author?.text.replaceAll('"', '') ?? from,
      to,
      subject,
      text,
      html: typeof html === 'string' ? html : null,
      headers,
    }
    this.#mails = [mail, ...this.#mails].slice(0, MAX_MAILS)
  }
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_MAIL_BYTES) chunks.push(chunk) // the rest is read and dropped, or the sender would wait forever
  }
  if (size <= MAX_MAIL_BYTES) return Buffer.concat(chunks)
  throw Object.assign(new Error('The mail is too large.'), { responseCode: 552 })
}
