import type { OtpResponse } from '../express-types.js'

/** No script ever runs, and only the workbench may frame it. The origin is kept, so that its script can measure. */
const FRAMED = "frame-ancestors 'self'; sandbox allow-same-origin"

/** What readers see in a mail program that loads nothing from outside. */
const MAIL_POLICY = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'`

/** A host that sets its own policy does so in front of its pages, where we cannot see it. */
const ANY_LOOK = "default-src 'none'; style-src * 'unsafe-inline'; img-src * data:; font-src * data:; base-uri 'none'"

/** Sends a mail or page for a frame. @param pagePolicy of the host's own pages, null if it is not known here */
export function sendFrame(res: OtpResponse, html: string, pagePolicy?: string | null): void {
  const policy = pagePolicy === undefined ? MAIL_POLICY : (pagePolicy ?? ANY_LOOK)
  const withoutFrames = policy.replace(/(^|;)\s*(frame-ancestors|sandbox)\b[^;]*/gi, '')
  res.setHeader('Content-Security-Policy', `${withoutFrames}; ${FRAMED}`)
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.end(html || '<!doctype html><title>Nothing to show</title>')
}
