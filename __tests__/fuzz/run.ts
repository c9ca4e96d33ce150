import { FuzzClient, type FuzzRequest, type FuzzResponse, Jar } from './client.js'
import { type FuzzHost, startFuzzHost } from './fuzz-host.js'
import { Random } from './random.js'
import { Requests } from './requests.js'
import { dump } from '../helpers/guessing.js'

const CONCURRENCY = 16
const ROUND = 800
const JARS_EACH = 4

export interface FuzzReport {
  readonly violations: readonly string[]
  readonly statuses: Readonly<Record<string, number>>
  readonly runs: Readonly<Record<string, number>>
  readonly mailedCodes: number
}

/**
 * Sends random requests, many at a time, and checks what must hold after each of them: no 5xx that was not injected, no
 * guarded handler without a right code, no mailed code and no full address in anything that leaves the app.
 */
export async function fuzzRequests(seed: number, count: number): Promise<FuzzReport> {
  const fuzz = await startFuzzHost()
  const { host, clock, oracle, violations } = fuzz
  const stopWatching = watchOutput(fuzz)
  const client = new FuzzClient(host.origin, CONCURRENCY)
  const statuses: Record<string, number> = {}
  const jars = Array.from({ length: CONCURRENCY * JARS_EACH }, (_, i) => new Jar(`jar${i}`))
  const workers = Array.from({ length: CONCURRENCY }, (_, i) => {
    const random = new Random(seed + i)
    return { random, requests: new Requests(random, oracle, jars), own: jars.filter((_, j) => j % CONCURRENCY === i) }
  })
  let mayMailFail = false

  const send = async (jar: Jar, request: FuzzRequest): Promise<void> => {
    let response: FuzzResponse
    try {
      response = await client.send(jar, request)
    } catch (error) {
      if (request.headers['X-Fault'] === undefined) violations.push(`${show(request)}: ${String(error)}`)
      return
    }
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
    const sealed = /"for":"([^"]+)"/.exec(response.body)?.[1] ?? /[?&]for=([^&]+)/.exec(response.location)?.[1]
    if (sealed !== undefined) jar.sealed = sealed
    const notice = /[?&]notice=([^&]+)/.exec(response.location)?.[1]
    if (notice !== undefined) Object.assign(jar, { notice, typed: `${jar.typed} ${request.body ?? ''}` })
    const isMailFailure = mayMailFail && response.status === 503 && request.path.toLowerCase().includes('send')
    if (response.status >= 500 && request.headers['X-Fault'] === undefined && !isMailFailure) {
      violations.push(`${show(request)}: ${response.status} ${response.body.slice(0, 500)}`)
    }
    const leaks = oracle.leaksIn(response.text, `${jar.typed} ${request.body ?? ''}`.replaceAll('%40', '@'))
    if (leaks.length > 0) violations.push(`${show(request)}: ${leaks.join(' ')} in ${response.text}`)
    // A browser follows what a POST leads to.
    if (request.method === 'POST' && response.location.startsWith('/2fa')) {
      const headers = { Accept: 'text/html' }
      await send(jar, { method: 'GET', path: response.location, headers, body: null, isChunked: false })
    }
  }

  /** Sends one request, or some at the same time in one session. Returns how many. */
  const act = async ({ random, requests, own }: (typeof workers)[number]): Promise<number> => {
    clock.ms += 50
    const jar = random.pick(own)
    const together: FuzzRequest[] = []
    const dice = random.next()
    if (dice < 0.01) together.push(requests.login(`u${random.below(20)}`))
    else if (dice < 0.02) together.push(requests.logout())
    else if (dice < 0.42) together.push(requests.journey(jar))
    else if (dice < 0.94) together.push(requests.noise(jar))
    else together.push(requests.journey(jar), requests.noise(jar), requests.noise(jar))
    await Promise.all(together.map((request) => send(jar, request)))
    return together.length
  }

  const work = async (worker: (typeof workers)[number], share: number): Promise<void> => {
    for (let sent = 0; sent < share && violations.length === 0;) sent += await act(worker)
  }

  try {
    for (const worker of workers) {
      // The first one of each worker stays nobody, who may only type an address.
      for (const jar of worker.own.slice(1)) await send(jar, worker.requests.login(`u${worker.random.below(20)}`))
    }
    for (let round = 0; round * ROUND < count && violations.length === 0; round++) {
      fuzz.isMailDown = round % 12 === 4
      mayMailFail = fuzz.isMailDown || round % 12 === 5 // the circuit breaker closes in the round after
      await Promise.all(workers.map((worker) => work(worker, ROUND / CONCURRENCY)))
      clock.tick(fuzz.isMailDown ? 1_000 : 120)
    }
  } finally {
    stopWatching()
    client.close()
    await fuzz.close()
  }
  return { violations, statuses, runs: fuzz.runs, mailedCodes: oracle.mailedCodes }
}

/** Looks for codes and addresses in events, in warnings and on the console. */
function watchOutput({ host, oracle, violations }: FuzzHost): () => void {
  const look =
    (where: string) =>
    (...what: unknown[]): void => {
      const leaks = oracle.leaksIn(what.map((one) => (typeof one === 'string' ? one : dump(one))).join(' '))
      if (leaks.length > 0) violations.push(`${leaks.join(' ')} in ${where}: ${dump(what)}`)
    }
  const types = ['issued', 'sent', 'undelivered', 'verified', 'rejected', 'throttled', 'escalated', 'refused'] as const
  for (const type of [...types, 'breaker', 'failed'] as const) host.otp.events.on(type, look(type))
  const consoles = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
    jest.spyOn(console, name).mockImplementation(look(name)),
  )
  const onWarning = look('warning')
  const onRejection = (reason: unknown): void => void violations.push(`unhandled rejection: ${dump(reason)}`)
  process.on('warning', onWarning).on('unhandledRejection', onRejection)
  return () => {
    for (const spy of consoles) spy.mockRestore()
    process.off('warning', onWarning).off('unhandledRejection', onRejection)
  }
}

function show(request: FuzzRequest): string {
  return JSON.stringify(request)
}
