import { hiddenFields } from '../../src/testing/hidden-fields.js'

/** The cookies of one client, as far as one host needs them. */
class CookieJar {
  readonly #cookies = new Map<string, string>()

  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  keep({ headers }: Response): void {
    for (const line of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
      const isGone = value === '' || /; *(max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)
      if (isGone) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }
}

/** A browser without script: cookies, redirects, `Refresh`, links and forms, with the headers of a navigation. */
export class PlainBrowser {
  readonly #jar = new CookieJar()
  #url: URL
  status = 0
  html = ''
  /** The requests so far, as `303 POST /2fa/send`. */
  readonly log: string[] = []

  constructor(origin: string) {
    this.#url = new URL(origin)
  }

  get path(): string {
    return this.#url.pathname
  }

  async open(path: string): Promise<this> {
    return this.#navigate('GET', new URL(path, this.#url))
  }

  /** Fills in the form whose action ends with `action`, and submits it. */
  async submit(action: string, fields: Readonly<Record<string, string>> = {}): Promise<this> {
    const forms = [...this.html.matchAll(/<form\b[^>]*\baction="([^"]*)"[^>]*>([^]*?)<\/form>/g)]
    const isWanted = ([, target = '']: RegExpExecArray): boolean => target.replace(/\?.*/, '').endsWith(action)
    const [, target, content = ''] = forms.find(isWanted) ?? []
    if (target === undefined) throw new Error(`no form for ${action} on ${this.path}:\n${this.html}`)
    const missing = Object.keys(fields).filter((name) => !content.includes(` name="${name}"`))
    if (missing.length > 0) throw new Error(`the form for ${action} has no field ${missing.join(', ')}`)
    const body = new URLSearchParams({ ...hiddenFields(content), ...fields })
    return this.#navigate('POST', new URL(target.replaceAll('&amp;', '&').replaceAll('&#x3D;', '='), this.#url), body)
  }

  async #navigate(method: 'GET' | 'POST', url: URL, body: URLSearchParams | null = null): Promise<this> {
    const response = await fetch(url, {
      method,
      body,
      redirect: 'manual',
      headers: {
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        Cookie: this.#jar.header,
        ...(this.html !== '' && { Referer: this.#url.href }),
        ...(body && { Origin: url.origin }),
      },
    })
    this.#jar.keep(response)
    this.log.push(`${response.status} ${method} ${url.pathname}`)
    if (this.log.length > 60) throw new Error(`no end of redirects:\n${this.log.join('\n')}`)
    const location = response.headers.get('location')
    if (location !== null) return this.#navigate('GET', new URL(location, url))
    this.#url = url
    this.status = response.status
    this.html = await response.text()
    const refresh = /^0; *url=(.*)/.exec(response.headers.get('refresh') ?? '')?.[1]
    return refresh === undefined ? this : this.open(refresh)
  }
}

/** What a JSON client reads of an answer: our problems and successes, or the text of the host. */
export interface JsonAnswer {
  readonly status: number
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

/** A client that sends and accepts JSON. */
export class JsonClient {
  readonly #jar = new CookieJar()

  constructor(readonly origin: string) {}

  get(path: string): Promise<JsonAnswer> {
    return this.#request(path)
  }

  post(path: string, fields: object): Promise<JsonAnswer> {
    return this.#request(path, JSON.stringify(fields))
  }

  async #request(path: string, body?: string): Promise<JsonAnswer> {
    const response = await fetch(new URL(path, this.origin), {
      redirect: 'manual',
      headers: {
        Accept: 'application/json',
        Cookie: this.#jar.header,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { method: 'POST', body }),
    })
    this.#jar.keep(response)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} }
  }
}
