import type { IncomingMessage, ServerResponse } from 'node:http'

declare global {
  // Express' own plug-in point for request properties: express-session, cookie-session and Passport add theirs here.
  // Declared empty, so that this package compiles with any version of @types/express and with none.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- a global merge point can only be written as a namespace
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- see above
    interface Request {}
  }
}

/**
 * A request as our handlers take it. `body` and `query` are left out: named here as `unknown`, they would become
 * `unknown` in every handler that a host writes behind our guard, since Express infers one type for a whole route.
 */
export interface IncomingRequest extends IncomingMessage, Express.Request {
  readonly originalUrl: string
  readonly baseUrl: string
  readonly path: string
  readonly ip?: string | undefined
  readonly app: { get(setting: string): unknown }
  accepts(types: string[]): string | false
  acceptsLanguages(): string[]
}

/**
 * What we need of a request, and what the host's functions are given: fits Express 4 and 5 alike. `body` is `any`, as in
 * Express: a host reads members of its own forms, which no type of ours can name.
 */
export interface OtpRequest extends IncomingRequest {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above; we read it as unknown
  body?: any
  readonly query: unknown
  /** Of the route that the guard stands in. */
  readonly params: Readonly<Record<string, string | string[]>>
  /** Of cookie-parser. */
  readonly cookies?: Readonly<Record<string, unknown>>
  get(header: string): string | undefined
}

/**
 * A function of the host's. TypeScript compares the parameters of methods in both directions, so it may take Express' own
 * `Request`, which has more than `OtpRequest`.
 */
export type HostFunction<Args extends unknown[], Result> = { call(...args: Args): Result }['call']

/** What we need of a response. */
export type OtpResponse = ServerResponse

/** A response as `renderPage` is given it: with the templates of the host's app. */
export interface RenderingResponse extends OtpResponse {
  render(view: string, values: object, done: (error: Error | null, html: string) => void): void
}

/** Middleware that any Express host can mount. */
export type OtpHandler = (req: IncomingRequest, res: OtpResponse, next: (error?: unknown) => void) => void
