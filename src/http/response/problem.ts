/** Every ending that is not a success, with its HTTP status. Bodies are problem details (RFC 9457). */
export const PROBLEMS = {
  otp_required: 401,
  sign_in_required: 401,
  no_address: 403,
  invalid_code_format: 422,
  wrong_code: 422,
  code_expired: 422,
  code_exhausted: 429,
  no_challenge: 422,
  long_code_required: 422,
  step_up_expired: 409,
  cookies_required: 422,
  invalid_email: 422,
  too_many_requests: 429,
  mail_unavailable: 503,
  mail_refused: 422,
  store_unavailable: 503,
  cross_site: 403,
  bad_request: 400,
  internal_error: 500,
} as const

export type ProblemCode = keyof typeof PROBLEMS

/** Problems after which there is no form to continue with. They have a page of their own. */
const TERMINAL_PROBLEMS: readonly ProblemCode[] = [
  'sign_in_required',
  'no_address',
  'step_up_expired',
  'cookies_required',
  'store_unavailable',
  'cross_site',
  'bad_request',
  'internal_error',
]

export function isTerminal(code: ProblemCode): boolean {
  return TERMINAL_PROBLEMS.includes(code)
}

export interface Problem {
  readonly type: 'problem'
  readonly code: ProblemCode
  readonly status: number
  /** Members of the JSON body beside the standard ones. */
  readonly members: Readonly<Record<string, string | number>>
  /** Key of its text, if that is not the one of its code. */
  readonly textKey?: string
}

/** A problem that travels over a redirect, so that a reload of the page repeats nothing. */
export interface Notice {
  readonly problem: Problem
  /** The address that was typed, to be corrected; else empty. */
  readonly typed: string
}

/** A problem as JSON (RFC 9457). */
export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  /** In the language of the visitor. */
  readonly detail: string
  readonly code: ProblemCode
  /** Members of this code, such as `max_age`. */
  readonly [member: string]: string | number
}

/** How a request to one of our routes ends. */
export type RouteResult =
  /** The page of the current state, with a problem if there is one. */
  | {
      readonly type: 'page'
      readonly json: Readonly<Record<string, unknown>>
      readonly notice: Notice | null
    }
  /** The page after a right code, which goes on to `to`; with an empty `to` it stays. */
  | { readonly type: 'continue'; readonly json: Readonly<Record<string, unknown>>; readonly to: string }
  | {
      readonly type: 'redirect'
      readonly to: string
      readonly json: Readonly<Record<string, unknown>>
      /** A cookie to set, as a header. */
      readonly cookie?: string
      /** Runs after the response, so that the response time does not depend on it. */
      readonly afterResponse?: () => void
    }
  | Problem

export function problem(code: ProblemCode, members: Problem['members'] = {}, status: number = PROBLEMS[code]): Problem {
  return { type: 'problem', code, status, members }
}

/** A problem that ends by itself, in `retryAfter` seconds; 0 means that the time is not known. */
export function temporaryProblem(code: ProblemCode, retryAfter: number): Problem {
  return problem(code, retryAfter > 0 ? { retry_after: retryAfter } : {})
}
