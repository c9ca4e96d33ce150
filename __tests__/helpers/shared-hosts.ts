import { ANA } from './host-app.js'
import { HostProcess, type HostProcessOptions } from './host-process.js'
import { Mailbox } from './mailbox.js'

/** The answer to a JSON client. `code` is `ok` for status 200, else that of the problem. */
export interface Answer {
  readonly code: string
  readonly body: Record<string, unknown>
  readonly cookie: string | null
}

/** One session, used at any of the processes. */
export class SharedSession {
  cookie = ''

  async post(host: HostProcess, page: string, body: object): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json', Cookie: this.cookie }
    return read(await fetch(host.origin + page, { method: 'POST', headers, body: JSON.stringify(body) }))
  }

  async get(host: HostProcess, page: string): Promise<Answer> {
    return read(await fetch(host.origin + page, { headers: { Accept: 'application/json', Cookie: this.cookie } }))
  }

  static async of(host: HostProcess, user: object = ANA): Promise<SharedSession> {
    const session = new SharedSession()
    const { cookie } = await session.post(host, '/login', { user })
    session.cookie = cookie ?? ''
    return session
  }
}

/** Host processes that share a database and a mailbox. */
export class SharedHosts {
  readonly mailbox = new Mailbox()
  readonly #hosts: HostProcess[] = []

  /** @param store URL of Redis or PostgreSQL */
  constructor(readonly store: string) {}

  async start(options: Partial<HostProcessOptions> = {}): Promise<HostProcess> {
    const host = await HostProcess.start({ store: this.store, smtp: this.mailbox.url, ...options })
    this.#hosts.push(host)
    return host
  }

  startTwo(options?: Partial<HostProcessOptions>): Promise<[HostProcess, HostProcess]> {
    return Promise.all([this.start(options), this.start(options)])
  }

  /** A session of a user who asked for a code, and the code. */
  async asked(host: HostProcess, user: object): Promise<{ session: SharedSession; code: string }> {
    const session = await SharedSession.of(host, user)
    const before = this.mailbox.received.length
    expect((await session.post(host, '/2fa/send', {})).code).toBe('ok')
    await this.mailbox.mails(before + 1)
    return { session, code: this.mailbox.code }
  }

  async close(): Promise<void> {
    for (const host of this.#hosts.splice(0)) await host.kill()
    await this.mailbox.close()
  }
}

/** A user whom no earlier test knows. */
export function newUser(name: string): { id: string; email: string } {
  return { id: `${name} ${Math.floor(performance.now() * 1000)}`, email: ANA.email }
}

/** The number of answers by code. */
export function tallyCodes(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code } of answers) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

/** Calls a function several times concurrently. */
export function concurrently<T>(times: number, call: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, i) => call(i)))
}

async function read(answer: Response): Promise<Answer> {
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false
  const body = (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>
  const cookie = answer.headers.get('set-cookie')?.replace(/;.*/, '') ?? null
  return { code: answer.status === 200 ? 'ok' : String(body.code), body, cookie }
}
