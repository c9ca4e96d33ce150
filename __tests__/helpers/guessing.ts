import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { inspect } from 'node:util'
import type { Response } from 'supertest'
import type { Agent } from './host-app.js'
import { wrongCode } from './mailbox.js'
import type { OtpStore } from '../../src/index.js'

/** One guess of a JSON client; `more` adds fields such as `for`. */
export function guess(jar: Agent, code: string, more: object = {}) {
  return jar.post('/2fa/verify').send({ ...more, code })
}

/** So many wrong guesses, one after the other. */
export async function guessWrongly(jar: Agent, code: string, times: number): Promise<Response[]> {
  const answers: Response[] = []
  for (let i = 0; i < times; i++) answers.push(await guess(jar, wrongCode(code)))
  return answers
}

/** How many answers there are of each kind: the problem's code, or `ok`. */
export function tally(answers: readonly Response[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const kind = status === 200 ? 'ok' : String((body as { code?: unknown }).code)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** The session cookie of an answer, ready to be sent back. */
export function cookieOf(answer: Response): string {
  const cookies = answer.headers['set-cookie'] as unknown as string[] | undefined
  return (cookies ?? []).map((cookie) => cookie.replace(/;.*/, '')).join('; ')
}

/** Everything inside a value, as text: symbols, hidden properties, causes and stacks too. */
export function dump(value: unknown): string {
  return inspect(value, {
    depth: null,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  })
}

/** A store that writes down all that it is told and all that it answers. */
export function recorded(store: OtpStore, log: unknown[]): OtpStore {
  const note = async <T>(told: unknown, answer: Promise<T>): Promise<T> => {
    log.push(told, await answer)
    return answer
  }
  return {
    open: (request) => note(request, store.open(request)),
    redeem: (attempt) => note(attempt, store.redeem(attempt)),
    spend: (request) => note(request, store.spend(request)),
    close: async () => store.close?.(),
  }
}

/** A TCP relay in front of a server that keeps every byte which the server answers. */
export class Wiretap {
  #heard = ''
  readonly #relay: Server

  private constructor(port: number) {
    this.#relay = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      server.on('data', (bytes) => (this.#heard += bytes.toString('latin1')))
      server.on('error', () => client.destroy())
      client.on('error', () => server.destroy())
      client.pipe(server).pipe(client)
    })
  }

  static async on(origin: string): Promise<Wiretap> {
    const tap = new Wiretap(Number(new URL(origin).port))
    tap.#relay.listen(0, '127.0.0.1')
    await once(tap.#relay, 'listening')
    return tap
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#relay.address() as AddressInfo).port}`
  }

  get heard(): string {
    return this.#heard
  }

  async close(): Promise<void> {
    this.#relay.close()
    await once(this.#relay, 'close')
  }
}
