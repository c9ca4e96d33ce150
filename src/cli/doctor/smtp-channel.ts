import type { Socket } from 'node:net'
import type { SMTPPoolOptions } from 'nodemailer'
import SMTPConnection, { type SMTPConnectionCustomAuthContext } from 'nodemailer/lib/smtp-connection'
import { systemClock } from '../../clock.js'
import { withTimeout } from '../../timeout.js'

export interface Login {
  readonly user: string
  readonly pass: string
  /** A SASL mechanism, or false for the first one that server and client know. */
  readonly method: string | false
}

/** An authentication method that sends nothing: nodemailer's way to see what EHLO said, and to send further commands. */
const COMMANDS = 'COMMANDS'

type Callback = (error?: Error | null) => void

/** One connection to the mail server, made by nodemailer as it is for mails. Each step ends in time, or rejects. */
export class SmtpChannel {
  /** The first line of the server, and when it came. */
  greeting: { readonly text: string; readonly at: number } | null = null
  readonly #connection: SMTPConnection
  readonly #broken: Promise<never>
  #commands: SMTPConnectionCustomAuthContext | null = null

  constructor(
    options: SMTPPoolOptions,
    now: () => number,
    private readonly stepTimeoutMs: number,
  ) {
    this.#connection = new SMTPConnection({
      ...options,
      ...{ connectionTimeout: stepTimeoutMs, greetingTimeout: stepTimeoutMs, dnsTimeout: stepTimeoutMs },
      customAuth: {
        [COMMANDS]: (context) => {
          this.#commands = context
          context.resolve()
        },
      },
      // Only the first line of the server is kept: what the client says contains the login.
      transactionLog: true,
      logger: loggerOf((from, text) => {
        if (from === 'server') this.greeting ??= { text, at: now() }
      }),
    })
    this.#broken = new Promise((_resolve, reject) => this.#connection.on('error', reject))
    this.#broken.catch(ignore)
  }

  /** Greeting, EHLO and TLS. */
  async connect(): Promise<void> {
    await this.#step((done) => {
      this.#connection.connect(done)
    })
    await this.#step((done) => {
      this.#connection.login({ method: COMMANDS }, done)
    })
  }

  get socket(): Socket | null {
    const { _socket: socket } = this.#connection
    return socket === false ? null : socket
  }

  get offersLogin(): boolean {
    return this.#connection.allowsAuth
  }

  get extensions(): readonly string[] {
    return this.#commands?.extensions ?? []
  }

  get authMethods(): readonly string[] {
    return this.#commands?.authMethods ?? []
  }

  /** In bytes; null when the server names none. */
  get maxSize(): number | null {
    const size = this.#commands?.maxAllowedSize
    return typeof size === 'number' && size > 0 ? size : null
  }

  async login({ user, pass, method }: Login): Promise<void> {
    await this.#step((done) => {
      this.#connection.login({ user, method, credentials: { user, pass } }, done)
    })
  }

  /** Sends `MAIL FROM` or another command. A refusal rejects with an error like those of nodemailer. */
  async command(name: string, parameter = ''): Promise<void> {
    const answer = this.#commands?.sendCommand(name + parameter)
    if (!answer) throw new Error('not connected')
    const { response, status } = await this.#within(answer)
    if (status >= 200 && status < 300) return
    throw Object.assign(new Error(response), { code: 'EENVELOPE', command: name, response, responseCode: status })
  }

  /** Says goodbye and does not wait for the answer. */
  close(): void {
    if (this.#commands && !this.#connection.destroyed) this.#connection.quit()
    this.#connection.close()
  }

  #step(start: (done: Callback) => void): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      start((error) => {
        if (error) reject(error)
        else resolve()
      })
    })
    return this.#within(ended)
  }

  /** nodemailer's own timeouts do not end a conversation in which the server sends a byte now and then. */
  #within<T>(answer: Promise<T>): Promise<T> {
    return withTimeout(systemClock, this.stepTimeoutMs, Promise.race([this.#broken, answer]))
  }
}

/** A logger for nodemailer that only hears the lines of the conversation. */
function loggerOf(heard: (from: unknown, text: string) => void): Record<string, (...args: unknown[]) => void> {
  const debug = (entry: unknown, text: unknown): void => {
    heard((entry as { tnx?: unknown } | null)?.tnx, String(text))
  }
  return { debug, ...Object.fromEntries(['trace', 'info', 'warn', 'error', 'fatal'].map((level) => [level, ignore])) }
}

function ignore(): void {
  // nothing to do
}
