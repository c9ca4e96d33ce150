import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A reply line; or `close`, `hang`, `trickle`: hang up, say nothing, or send a byte now and then. */
export type Reply = string

/** What the server says at each point of an SMTP conversation; what is left out is the polite answer. */
export interface SmtpScript {
  greeting?: Reply
  ehlo?: Reply
  mail?: Reply
  rcpt?: Reply
  data?: Reply
  /** After the message itself. */
  end?: Reply
}

const POLITE: Required<SmtpScript> = {
  greeting: '220 scripted.example ESMTP',
  ehlo: '250 scripted.example',
  mail: '250 2.1.0 sender ok',
  rcpt: '250 2.1.5 recipient ok',
  data: '354 go on',
  end: '250 2.0.0 queued',
}

const TRICKLE_MS = 100

/** An SMTP server on loopback that does as it is told, so that each way of failing can be had on demand. */
export class ScriptedSmtp {
  /** Lines that clients have sent, without the messages. */
  readonly commands: string[] = []
  /** Messages that were sent in full, whatever was answered. */
  readonly messages: string[] = []
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #waiting: (() => void)[] = []

  private constructor(public script: SmtpScript) {
    this.#server = createServer((socket) => {
      this.#serve(socket)
    })
  }

  static async listen(script: SmtpScript = {}): Promise<ScriptedSmtp> {
    const smtp = new ScriptedSmtp(script)
    smtp.#server.listen(0, '127.0.0.1')
    await once(smtp.#server, 'listening')
    return smtp
  }

  /** The address of a server that was there and is no more: connections are refused. */
  static async goneUrl(): Promise<string> {
    const smtp = await ScriptedSmtp.listen()
    const { url } = smtp
    await smtp.close()
    return url
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`
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
    for (const timer of this.#timers) clearInterval(timer)
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }

  #serve(socket: Socket): void {
    this.connections += 1
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined) // clients hang up as they like
    let rest = ''
    let isMessage = false
    socket.on('data', (bytes) => {
      rest += bytes.toString('utf8')
      for (;;) {
        const end = rest.indexOf(isMessage ? '\r\n.\r\n' : '\r\n')
        if (end < 0) break
        const text = rest.slice(0, end)
        rest = rest.slice(end + (isMessage ? 5 : 2))
        if (isMessage) this.messages.push(text)
        else this.commands.push(text)
        const reply = isMessage ? this.#say('end') : this.#answer(text)
        isMessage = !isMessage && reply.startsWith('354')
        this.#send(socket, reply)
      }
      this.#wake()
    })
    this.#send(socket, this.#say('greeting'))
    this.#wake()
  }

  #answer(command: string): Reply {
    const [verb = ''] = command.toUpperCase().split(/[ :]/, 1)
    if (verb === 'EHLO' || verb === 'HELO') return this.#say('ehlo')
    if (verb === 'MAIL' || verb === 'RCPT' || verb === 'DATA') {
      return this.#say(verb.toLowerCase() as 'mail' | 'rcpt' | 'data')
    }
    if (verb === 'QUIT') return '221 bye'
    return verb === 'RSET' || verb === 'NOOP' ? '250 ok' : '502 5.5.1 no such command'
  }

  #say(point: keyof SmtpScript): Reply {
    return this.script[point] ?? POLITE[point]
  }

  #send(socket: Socket, reply: Reply): void {
    if (reply === 'hang') return
    if (reply === 'close') return void socket.destroy()
    if (reply !== 'trickle') return void socket.write(`${reply}\r\n`)
    socket.write('250')
    this.#timers.add(setInterval(() => socket.writable && socket.write('-'), TRICKLE_MS).unref())
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
