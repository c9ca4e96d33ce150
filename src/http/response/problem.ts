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

export interface Problem {
  readonly type: 'problem'
  readonly code: ProblemCode
  readonly status: number
  /** Members of the JSON body beside the standard ones. */
  readonly members: Readonly<Record<string, string | number>>
  /** Key of its text, if that is not the one of its code. */
  readonly textKey?: string
}

/** How a request to one of our routes ends. */
export type RouteResult =
  /** The page of the current state. */
  | { readonly type: 'page'; readonly json: Readonly<Record<string, unknown>> }
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
