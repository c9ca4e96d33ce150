import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { inspect } from 'node:util'
import type { Response } from 'supertest'
import type { Agent } from './host-app.js'
import { wrongCode } from './mailbox.js'
import type { OtpStore } from '../../src/index.js'

/** One guess of a JSON client. `more` adds fields such as `for`. */
export function guess(jar: Agent, code: string, more: object = {}) {
  return jar.post('/2fa/verify').send({ ...more, code })
}

/** Several wrong guesses, one after the other. */
export async function guessWrongly(jar: Agent, code: string, times: number): Promise<Response[]> {
  const answers: Response[] = []
  for (let i = 0; i < times; i++) answers.push(await guess(jar, wrongCode(code)))
  return answers
}

/** The number of answers by problem code, or `ok`. */
export function tally(answers: readonly Response[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const kind = status === 200 ? 'ok' : String((body as { code?: unknown }).code)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** The session cookie of an answer, as a request sends it. */
export function cookieOf(answer: Response): string {
  const cookies = answer.headers['set-cookie'] as unknown as string[] | undefined
  return (cookies ?? []).map((cookie) => cookie.replace(/;.*/, '')).join('; ')
}

/** Everything in a value as text, including symbols, hidden properties, causes and stacks. */
export function dump(value: unknown): string {
  return inspect(value, {
    depth: null,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  })
}

/** A store that logs its requests and outcomes. */
export function recorded(store: OtpStore, log: unknown[]): OtpStore {
  const note = async <T>(request: unknown, outcome: Promise<T>): Promise<T> => {
    log.push(request, await outcome)
    return outcome
  }
  return {
    open: (request) => note(request, store.open(request)),
    redeem: (attempt) => note(attempt, store.redeem(attempt)),
    spend: (request) => note(request, store.spend(request)),
    close: async () => store.close?.(),
  }
}

/** A TCP proxy in front of a server that records every byte of its responses. */
export class ResponseRecorder {
  #responses = ''
  readonly #proxy: Server

  private constructor(port: number) {
    this.#proxy = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      server.on('data', (bytes) => (this.#responses += bytes.toString('latin1')))
      server.on('error', () => client.destroy())
      client.on('error', () => server.destroy())
      client.pipe(server).pipe(client)
    })
  }

  static async on(origin: string): Promise<ResponseRecorder> {
    const recorder = new ResponseRecorder(Number(new URL(origin).port))
    recorder.#proxy.listen(0, '127.0.0.1')
    await once(recorder.#proxy, 'listening')
    return recorder
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`
  }

  get responses(): string {
    return this.#responses
  }

  async close(): Promise<void> {
    this.#proxy.close()
    await once(this.#proxy, 'close')
  }
}
