import { inspect } from 'node:util'
import type { Response } from 'supertest'
import type { Agent } from './host-app.js'
import { wrongCode } from './mailbox.js'
import type { OtpStore } from '../../src/index.js'

/** A JSON client sends one code. `more` adds fields such as `for`. */
export function guess(jar: Agent, code: string, more: object = {}) {
  return jar.post('/2fa/verify').send({ ...more, code })
}

/** Sends a wrong code `times` times, one after the other. */
export async function guessWrongly(jar: Agent, code: string, times: number): Promise<Response[]> {
  const answers: Response[] = []
  for (let i = 0; i < times; i++) answers.push(await guess(jar, wrongCode(code)))
  return answers
}

/** Counts the answers by problem code, or `ok`. */
export function tally(answers: readonly Response[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const kind = status === 200 ? 'ok' : String((body as { code?: unknown }).code)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** The cookies of an answer, ready to be sent back. */
export function cookieOf(answer: Response): string {
  const cookies = answer.headers['set-cookie'] as unknown as string[] | undefined
  return (cookies ?? []).map((cookie) => cookie.replace(/;.*/, '')).join('; ')
}

/** Everything inside a value as text, with symbols, hidden properties, causes and stacks. */
export function dump(value: unknown): string {
  return inspect(value, {
    depth: null,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  })
}

/** A store that logs each request and each answer. */
export function recorded(store: OtpStore, log: unknown[]): OtpStore {
  const logged = async <T>(request: unknown, answer: Promise<T>): Promise<T> => {
    log.push(request, await answer)
    return answer
  }
  return {
    open: (request) => logged(request, store.open(request)),
    redeem: (attempt) => logged(attempt, store.redeem(attempt)),
    spend: (request) => logged(request, store.spend(request)),
    close: async () => store.close?.(),
  }
}
