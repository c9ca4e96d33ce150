import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import getTLSOptions from 'smtp-server/lib/tls-options'

/**
 * A reply line, or several with CRLF between them; or `close`, `hang`, `trickle`: hang up, say nothing, or send a byte
 * now and then.
 */
export type Reply = string

/** Where the server has something to say; `end` is after the message itself. */
export type Point = 'greeting' | 'ehlo' | 'starttls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'end'

/** What one conversation is told, and whom it tells what it heard. */
export interface Cues {
  /** Whether EHLO names the extension. */
  offers(extension: 'starttls' | 'auth'): boolean
  /** The reply, or nothing for the polite one. */
  say(point: Point): Reply | undefined
  heard(what: 'command' | 'message' | 'bytes in clear', text: string): void
}

const GO_ON = '220 2.0.0 go on'
const POLITE: Record<Point, Reply> = {
  greeting: '220 scripted.example ESMTP',
  ehlo: '250 scripted.example',
  starttls: 'upgrade',
  auth: '235 2.7.0 ok',
  mail: '250 2.1.0 sender ok',
  rcpt: '250 2.1.5 recipient ok',
  data: '354 go on',
  end: '250 2.0.0 queued',
}

/** What is asked of a client that names a mechanism (RFC 4954 4): user and password, unless they came with it. */
const PROMPTS: Partial<Record<string, Reply[]>> = {
  PLAIN: ['334 '],
  LOGIN: ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'],
}

const TRICKLE_MS = 100
const isHandshake = (bytes: Buffer): boolean => bytes[0] === 0x16 // RFC 8446 5.1
// Self-signed, for `localhost` and out of date: smtp-server ships it, its key is known to everybody.
const TEST_CERTIFICATE = createSecureContext(getTLSOptions())

/** The server's side of one connection. */
export class Conversation {
  readonly #connection: Socket
  readonly #cues: Cues
  /** What is spoken through: the connection, or TLS over it. */
  #line: Socket | null = null
  #rest = ''
  #isMessage = false
  /** What is still to be asked of a client that is logging in. */
  #prompts: Reply[] | null = null

  constructor(connection: Socket, cues: Cues, isSecure: boolean) {
    this.#connection = connection
    this.#cues = cues
    connection.on('error', () => undefined) // clients hang up as they like
    if (isSecure) this.#secure()
    else this.#speakThrough(connection)
  }

  #speakThrough(line: Socket): void {
    const isNew = this.#line === null
    this.#line = line
    line.on('error', () => undefined) // a handshake that fails is what the client makes of it
    line.on('data', (bytes: Buffer) => {
      if (line === this.#connection) {
        if (isHandshake(bytes)) return // after a 220 that was not meant
        this.#cues.heard('bytes in clear', bytes.toString('utf8'))
      }
      this.#hear(bytes.toString('utf8'))
    })
    if (isNew) this.#play('greeting')
  }

  /** TLS from the next byte on; what came before it counts for nothing (RFC 3207 4.2). */
  #secure(): void {
    this.#rest = ''
    this.#connection.removeAllListeners('data')
    this.#connection.once('data', (first: Buffer) => {
      if (!isHandshake(first)) this.#cues.heard('bytes in clear', first.toString('utf8'))
      this.#connection.pause()
      this.#connection.unshift(first)
      this.#speakThrough(new TLSSocket(this.#connection, { isServer: true, secureContext: TEST_CERTIFICATE }))
    })
  }

  #hear(text: string): void {
    this.#rest += text
    for (;;) {
      const mark = this.#isMessage ? '\r\n.\r\n' : '\r\n'
      const end = this.#rest.indexOf(mark)
      if (end < 0) return
      const heard = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + mark.length)
      this.#cues.heard(this.#isMessage ? 'message' : 'command', heard)
      if (this.#isMessage) this.#play('end')
      else if (this.#prompts) this.#ask(this.#prompts)
      else this.#answer(heard)
    }
  }

  #answer(command: string): void {
    const [name = '', mechanism = '', response] = command.split(/[ :]/)
    const verb = name.toUpperCase()
    if (verb === 'EHLO') this.#play('ehlo', this.#extensions())
    else if (verb === 'HELO') this.#play('ehlo')
    else if (verb === 'STARTTLS' && this.#offersTls()) this.#play('starttls')
    else if (verb === 'AUTH' && this.#cues.offers('auth')) {
      this.#ask((PROMPTS[mechanism.toUpperCase()] ?? []).slice(response === undefined ? 0 : 1))
    } else if (verb === 'MAIL' || verb === 'RCPT' || verb === 'DATA') {
      this.#play(verb.toLowerCase() as 'mail' | 'rcpt' | 'data')
    } else if (verb === 'QUIT') this.#write('221 bye')
    else this.#write(verb === 'RSET' || verb === 'NOOP' ? '250 ok' : '502 5.5.1 no such command')
  }

  #offersTls(): boolean {
    return this.#line === this.#connection && this.#cues.offers('starttls')
  }

  #extensions(): Reply {
    const names = [
      ...(this.#offersTls() ? ['STARTTLS'] : []),
      ...(this.#cues.offers('auth') ? ['AUTH PLAIN LOGIN'] : []),
    ]
    const lines = [POLITE.ehlo.slice(4), ...names]
    return lines.map((line, index) => `250${index < names.length ? '-' : ' '}${line}`).join('\r\n')
  }

  #ask([prompt, ...further]: Reply[]): void {
    this.#prompts = prompt === undefined ? null : further
    if (prompt === undefined) this.#play('auth')
    else this.#write(prompt)
  }

  #play(point: Point, polite = POLITE[point]): void {
    const reply = this.#cues.say(point) ?? polite
    this.#isMessage = point === 'data' && reply.startsWith('354')
    if (reply === 'hang') return
    if (reply === 'close') return void this.#connection.destroy()
    if (reply === 'trickle') return this.#trickle(polite)
    if (reply !== 'upgrade') return this.#write(reply)
    this.#write(GO_ON)
    this.#secure()
  }

  #trickle(polite: Reply): void {
    this.#line?.write((polite === 'upgrade' ? GO_ON : polite).slice(0, 3))
    const timer = setInterval(() => this.#line?.writable && this.#line.write('-'), TRICKLE_MS).unref()
    this.#connection.once('close', () => clearInterval(timer))
  }

  #write(reply: Reply): void {
    this.#line?.write(`${reply}\r\n`)
  }
}
