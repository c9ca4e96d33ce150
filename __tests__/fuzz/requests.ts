import type { FuzzRequest, Jar } from './client.js'
import { FAULTS } from './fuzz-host.js'
import {
  ADDRESSES,
  ASSETS,
  GUARDED,
  HEADERS,
  METHODS,
  NO_ADDRESSES,
  ODD_VALUES,
  PAGES,
  TYPES,
} from './hostile-values.js'
import type { Oracle } from './oracle.js'
import type { Random } from './random.js'

/** Makes requests: a person on the way through a guard, and anything at all in between. */
export class Requests {
  constructor(
    private readonly random: Random,
    private readonly oracle: Oracle,
    private readonly others: readonly Jar[],
  ) {}

  login(id: string): FuzzRequest {
    return this.#json('/login', { user: { id, email: `${id}@fuzz.example` } })
  }

  logout(): FuzzRequest {
    return this.#json('/logout', {})
  }

  /** The next step of somebody who wants to pass a guard. */
  journey(jar: Jar): FuzzRequest {
    const { random } = this
    jar.step = (jar.step + 1) % 4
    if (jar.step === 1 || jar.goal === null) {
      const goals = ['/vault', '/deep'].map((path) => ({ method: 'GET', path, body: null }))
      const pay = { method: 'POST', path: '/pay', body: JSON.stringify({ amount: random.below(3), payee: 'Ana' }) }
      jar.step = 1
      jar.goal = random.pick<NonNullable<Jar['goal']>>([pay, ...goals])
    }
    if (jar.step === 2) return this.#json('/2fa/send', { for: jar.sealed, email: random.pick(ADDRESSES) })
    if (jar.step === 3) {
      const code = this.oracle.newest(jar.id) ?? '0'
      return { ...this.#json('/2fa/verify', { for: jar.sealed, code }), code }
    }
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' }
    return { ...jar.goal, headers, isChunked: false }
  }

  /** Anything. */
  noise(jar: Jar): FuzzRequest {
    const { random } = this
    const route = random.below(10)
    const path =
      route < 2
        ? random.pick(PAGES)
        : route < 7
          ? random.pick(['/2fa/send', '/2fa/verify', '/2fa/verify', '/2fa/restart'])
          : route < 8
            ? `/2fa/assets/${random.pick(ASSETS)}`
            : random.pick(GUARDED)
    const isUsual = random.chance(0.8)
    const method = isUsual ? (route >= 2 && route < 7 ? 'POST' : 'GET') : random.pick(METHODS)
    const { fields, code } = this.#fields(jar)
    const inQuery = { ...(fields.for !== undefined && { for: fields.for }), ...this.#notice(jar) }
    const query = random.chance(method === 'POST' ? 0.1 : 0.6) ? `?${form(inQuery)}` : ''
    const type = random.chance(0.7)
      ? random.pick(['application/json', 'application/x-www-form-urlencoded'])
      : random.pick(TYPES)
    const headers: Record<string, string> = { 'Content-Type': type }
    for (const [name, values] of Object.entries(HEADERS)) {
      if (random.chance(name === 'Accept' ? 0.6 : 0.08)) headers[name] = random.pick(values)
    }
    if (random.chance(0.03)) headers['X-Fault'] = random.pick(FAULTS)
    const hasBody = method !== 'HEAD' && method !== 'GET' && random.chance(0.95)
    const body = hasBody ? this.#body(type, fields) : null
    const isChunked = body !== null && body !== '' && random.chance(0.1)
    return { method, path: path + query, headers, body, isChunked, ...(code === null ? {} : { code }) }
  }

  #json(path: string, body: object): FuzzRequest {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' }
    return { method: 'POST', path, headers, body: JSON.stringify(body), isChunked: false }
  }

  #fields(jar: Jar): { fields: Record<string, unknown>; code: string | null } {
    const { random } = this
    const fields: Record<string, unknown> = {}
    if (random.chance(0.6)) fields.for = this.#sealed(jar)
    if (random.chance(0.3)) fields.email = random.pick([...ADDRESSES, ...NO_ADDRESSES, random.pick(ODD_VALUES)])
    if (random.chance(0.1)) fields.trust = random.pick(['yes', 'no', random.pick(ODD_VALUES)])
    if (random.chance(0.1)) fields[random.pick(['purpose', 'details', 'code[]', '__proto__', 'layout'])] = 'transfer'
    const owner = random.chance(0.6) ? jar : this.#other()
    const code = random.chance(0.5) ? this.oracle.newest(owner.id) : null
    const wrong = random.pick([random.digits(12), random.digits(6), 'abc', random.pick(ODD_VALUES)])
    if (random.chance(0.9)) fields.code = code === null ? wrong : this.#decorated(code)
    return { fields, code: fields.code === undefined ? null : code }
  }

  #decorated(code: string): string {
    const { random } = this
    return Array.from(code).join(random.pick(['', '', '', ' ', '-', '\u00a0']))
  }

  #sealed(jar: Jar): unknown {
    const { random } = this
    const { sealed } = random.chance(0.8) ? jar : this.#other()
    const at = random.below(Math.max(1, sealed.length))
    return random.pick([
      ...[sealed, sealed, sealed, sealed.slice(0, at), `${sealed.slice(0, at)}A${sealed.slice(at + 1)}`],
      ...[[sealed, sealed], { a: sealed }, 'x'.repeat(5_000), random.pick(ODD_VALUES)],
    ])
  }

  /** Its own, one of another session, an altered one, or something else. */
  #notice(jar: Jar): { notice?: unknown } {
    const { random } = this
    if (random.chance(0.6)) return {}
    const { notice } = random.pick([jar, this.#other()])
    return { notice: random.pick([notice, notice.slice(1), jar.sealed, [notice, notice], random.pick(ODD_VALUES)]) }
  }

  #other(): Jar {
    return this.random.pick(this.others)
  }

  #body(type: string, fields: Record<string, unknown>): string {
    const { random } = this
    if (random.chance(0.1)) {
      return random.pick([
        '',
        '{',
        '[]',
        '"text"',
        'null',
        '{"code":',
        '['.repeat(4_000),
        '&&==&',
        '%',
        '\u0000',
        'code=1&code=2',
      ])
    }
    if (random.chance(0.02)) return JSON.stringify({ ...fields, more: 'x'.repeat(20_000) })
    return type.includes('json') ? JSON.stringify(fields) : form(fields)
  }
}

/** As a form writes it; lists as repeated fields, objects as `name[key]`. */
function form(fields: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value)
      ? value.map((one: unknown) => [name, one])
      : typeof value === 'object' && value !== null
        ? Object.entries(value).map(([key, one]) => [`${name}[${key}]`, one])
        : [[name, value]],
  )
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${percent(value)}`).join('&')
}

/** Half of a surrogate pair, which cannot be encoded, as the replacement character. */
function percent(value: unknown): string {
  return encodeURIComponent(Buffer.from(String(value)).toString())
}
