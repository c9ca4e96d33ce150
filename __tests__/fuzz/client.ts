import { Agent, request as httpRequest } from 'node:http'

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** Sent in chunks, without Content-Length. */
  readonly isChunked: boolean
  /** A code that somebody was mailed, if the request types one. */
  readonly code?: string
}

export interface FuzzResponse {
  readonly status: number
  readonly location: string
  readonly body: string
  /** Every byte but the status line. */
  readonly text: string
}

/** A browser or client with its cookies. */
export class Jar {
  readonly cookies = new Map<string, string>()
  /** Id of the user who is signed in. */
  user: string | null = null
  /** The newest sealed step-up that a guard gave. */
  sealed = ''
  /** The newest sealed notice that it was redirected with. */
  notice = ''
  /** What it has typed and may be shown again. */
  typed = ''
  /** Where this person is in the journey, and through which guard it leads. */
  step = 0
  goal: Pick<FuzzRequest, 'method' | 'path' | 'body'> | null = null

  constructor(readonly id: string) {}
}

/** Sends requests over few connections that stay open. */
export class FuzzClient {
  readonly #agent: Agent

  constructor(
    private readonly origin: string,
    concurrency: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  }

  send(jar: Jar, request: FuzzRequest, isRepeated = false): Promise<FuzzResponse> {
    const { method, path, headers, body, isChunked, code } = request
    const { hostname, port } = new URL(this.origin)
    const cookie = [...jar.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const length = { 'Content-Length': String(Buffer.byteLength(body ?? '')) }
    const framing = isChunked ? { 'Transfer-Encoding': 'chunked' } : body === null ? {} : length
    const all = {
      ...headers,
      ...framing,
      'X-Jar': jar.id,
      ...(code === undefined ? {} : { 'X-Typed': code }),
      ...(cookie === '' ? {} : { Cookie: cookie }),
    }
    return new Promise((resolve, reject) => {
      const req = httpRequest({ agent: this.#agent, hostname, port, method, path, headers: all }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          for (const cookie of res.headers['set-cookie'] ?? []) {
            const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
            jar.cookies.set(name, value)
          }
          const text = Buffer.concat(chunks).toString()
          const {
            statusCode: status = 0,
            headers: { location = '' },
          } = res
          resolve({ status, location, body: text, text: `${res.rawHeaders.join('\n')}\n${text}` })
        })
      })
      req.on('error', (error: NodeJS.ErrnoException) => {
        // The server may close an idle connection just as it is used again.
        const wasIdle = error.code === 'ECONNRESET' && req.reusedSocket && !isRepeated
        if (wasIdle) resolve(this.send(jar, request, true))
        else reject(error)
      })
      if (body !== null && isChunked) req.write(body.slice(0, 1))
      req.end(body === null ? undefined : isChunked ? body.slice(1) : body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
