import { OtpError, type ViewIssue } from '../errors.js'

/** Why something cannot be shown as it is meant to be. */
export interface PreviewFailure {
  readonly heading: string
  readonly message: string
  readonly issues: readonly ViewIssue[]
}

/** The issues of templates, or the chain of what was thrown. */
export function previewFailure(thrown: unknown): PreviewFailure {
  const messages: string[] = []
  for (let error = thrown; error instanceof Error && messages.length < 5; error = error.cause)
    messages.push(error.message)
  const issues = thrown instanceof OtpError ? thrown.issues : []
  const heading = issues.length > 0 ? 'A file in views is broken' : 'It cannot be rendered as it is meant to be'
  return { heading, message: messages.join('\n') || String(thrown), issues }
}
