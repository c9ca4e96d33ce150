import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { freePort } from './server-process.js'
import { Conversation, type Cues, type Reply } from './smtp-conversation.js'

export type { Reply } from './smtp-conversation.js'

/** One reply for every time, or one for each time in turn; after the last of them the answer is polite. */
export type Replies = Reply | readonly Reply[]

/**
 * What the server says at each point of an SMTP conversation; what is left out is the polite answer. EHLO offers
 * STARTTLS and AUTH only when the script has them, unless it has an `ehlo` of its own.
 */
export interface SmtpScript {
  greeting?: Replies
  ehlo?: Replies
  /** `upgrade` is 220 and TLS with a self-signed certificate; after any other reply the server knows no TLS. */
  starttls?: Replies
  /** After the credentials. */
  auth?: Replies
  mail?: Replies
  rcpt?: Replies
  data?: Replies
  /** After the message itself. */
  end?: Replies
}

/**
 * Whether the server falls silent somewhere, which includes waiting for TLS that never comes. Only then may a client have
 * short timeouts: elsewhere a busy machine would be taken for a silent server.
 */
export function isSilent(script: SmtpScript): boolean {
  const replies = (Object.values(script) as Replies[]).flat()
  return replies.some((reply) => /^(hang|trickle|220 go on)/.test(reply))
}

/** An SMTP server on loopback that does as it is told, so that each way of failing can be had on demand. */
export class ScriptedSmtp {
  /** Lines that clients have sent, without the messages. */
  readonly commands: string[] = []
  /** Messages that were sent in full, whatever was answered. */
  readonly messages: string[] = []
  /** For each connection all that came outside TLS, but for handshakes. */
  readonly inClear: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How many replies of each list are used up. */
  readonly #used = new Map<readonly Reply[], number>()
  #waiting: (() => void)[] = []

  private constructor(
    public script: SmtpScript,
    private readonly isSecure: boolean,
  ) {
    this.#server = createServer((socket) => {
      this.#serve(socket)
    })
  }

  /** `secure` is TLS from the first byte; `port` is any that is free. */
  static async listen(script: SmtpScript = {}, { secure = false, port = 0 } = {}): Promise<ScriptedSmtp> {
    const smtp = new ScriptedSmtp(script, secure)
    smtp.#server.listen(port, '127.0.0.1')
    await once(smtp.#server, 'listening')
    return smtp
  }

  /** The address of a server that is not there: connections are refused. */
  static async goneUrl(): Promise<string> {
    return `smtp://127.0.0.1:${await freePort()}`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.isSecure ? 'smtps' : 'smtp'}://127.0.0.1:${this.port}`
  }

  get connections(): number {
    return this.inClear.length
  }

  /** Addresses that a client wanted to send to. */
  get recipients(): string[] {
    return this.commands.flatMap((line) => /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? [])
  }

  /** Waits until something that clients did makes the condition true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }

  #serve(socket: Socket): void {
    const connection = this.inClear.push('') - 1
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const cues: Cues = {
      offers: (extension) => this.script[extension] !== undefined,
      say: (point) => this.#say(point),
      heard: (what, text) => {
        if (what === 'command') this.commands.push(text)
        else if (what === 'message') this.messages.push(text)
        else this.inClear[connection] = `${this.inClear[connection] ?? ''}${text}`
        this.#wake()
      },
    }
    new Conversation(socket, cues, this.isSecure)
    this.#wake()
  }

  #say(point: keyof SmtpScript): Reply | undefined {
    const replies = this.script[point]
    if (replies === undefined || typeof replies === 'string') return replies
    const used = this.#used.get(replies) ?? 0
    this.#used.set(replies, used + 1)
    return replies[used]
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
