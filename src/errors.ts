/** Every way in which the plugin or its host can be broken. Expected endings are outcomes, not errors. */
export type OtpErrorCode =
  | 'invalid_option' // an option is wrong or unknown; thrown by emailOtp() and requireOtp()
  | 'invalid_view' // a template, a word file or a file name in `views` is wrong; thrown by emailOtp()
  | 'mount_path' // the router is mounted elsewhere than `path` says; passed to next() at the first request
  | 'invalid_user' // `user(req)` gave something that is not an OtpUser
  | 'invalid_details' // `details(req)` gave something that is not a JSON value
  | 'host_callback' // a function of the host's threw: user, accept, onVerified, describe, details, locals
  | 'internal' // something of ours threw that should not: please report it
  | 'session_unavailable' // no req.session, or it could not be saved
  | 'store_unavailable' // the OtpStore threw, hung, or answered in a shape of its own
  | 'mail_failed' // a mail could not be handed over
  | 'invalid_job' // `deliverJob` was given something that `mail.deliver` did not get
  | 'render_failed' // a page or mail could not be rendered

/**
 * The one class of exception. `message` tells the developer what is wrong and how to mend it; nothing
 * of it is ever shown to a visitor. `cause` keeps what was thrown below.
 */
export class OtpError extends Error {
  override readonly name = 'OtpError'
  constructor(
    readonly code: OtpErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** Wraps whatever was thrown, unless it is ours already. */
export function wrapError(code: OtpErrorCode, message: string, cause: unknown): OtpError {
  return cause instanceof OtpError ? cause : new OtpError(code, message, { cause })
}
