/** Every ending that is not a success, with its HTTP status. Bodies are RFC 9457 problem details. */
export const PROBLEMS = {
  otp_required: 401,
  sign_in_required: 401,
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
  readonly problem: ProblemCode
  /** Where it differs from the usual: 413 for a body that is too large. */
  readonly status?: number
  /** Members of the JSON body beside the standard ones. */
  readonly members?: Readonly<Record<string, string | number>>
}

/** How a request ends: in a page of its own, somewhere else, or in a problem. */
export type RouteResult =
  | { readonly page: 'current'; readonly json: Readonly<Record<string, unknown>> }
  | {
      readonly redirectTo: string
      readonly json: Readonly<Record<string, unknown>>
      /** What begins only when the answer is out, so that the time of the answer tells nothing about it. */
      readonly afterResponse?: () => void
    }
  | Problem

export function httpStatusOf({ problem, status }: Problem): number {
  return status ?? PROBLEMS[problem]
}
