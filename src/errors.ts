/** What can be broken in the plugin, the host or a server. Expected endings are outcomes, not errors. */
export type OtpErrorCode =
  | 'invalid_option' // an option is wrong or unknown; thrown by the function that was called
  | 'invalid_view' // a template, a text file or a file name in `views` is wrong; thrown by emailOtp() and reloadViews()
  | 'mount_path' // the router is not mounted at `path`; passed to next() at the first request
  | 'guard_position' // a guard stands in front of the router or of the sign-in page; passed to next() at such a request
  | 'invalid_user' // `user(req)` returned something that is not an OtpUser, or one that cannot be mailed
  | 'invalid_details' // `details(req)` returned something that is not a JSON value, or is too large
  | 'host_callback' // a function of the host's threw or hung
  | 'internal' // something of ours threw that should not: please report it
  | 'session_unavailable' // there is no req.session, or it could not be read or saved
  | 'store_unavailable' // the OtpStore threw, hung, or answered in an unknown shape
  | 'mail_failed' // a mail could not be composed or sent
  | 'invalid_job' // `deliverJob()` got something that `mail.deliver` did not get
  | 'render_failed' // a page or mail could not be rendered

/** A mistake in a file of `views`. Lines and columns count from 1. */
export interface ViewIssue {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** What to write instead. */
  readonly cure: string
}

/**
 * The only exception class. `message` says what is wrong and how to fix it; visitors never see it. `cause` is what was
 * thrown below.
 */
export class OtpError extends Error {
  override readonly name = 'OtpError'
  /** With `invalid_user`, the member of the user that is wrong, such as `email`; else null. */
  readonly field: string | null
  /** With `invalid_view`, all mistakes that were found; else empty. */
  readonly issues: readonly ViewIssue[]
  constructor(
    readonly code: OtpErrorCode,
    message: string,
    { field = null, issues = [], ...options }: { cause?: unknown; field?: string | null; issues?: ViewIssue[] } = {},
  ) {
    super(message, options)
    this.field = field
    this.issues = issues
  }
}

/** For the end of a message: where its cause and cure are described. The heading is a code. */
export function troubleshooting(heading: string): string {
  return ` See docs/troubleshooting.md#${heading.toLowerCase()}.`
}

/** Wraps what was thrown, unless it is an OtpError already. */
export function wrapError(code: OtpErrorCode, message: string, cause: unknown): OtpError {
  return cause instanceof OtpError ? cause : new OtpError(code, message, { cause })
}
