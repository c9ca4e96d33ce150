import type { OtpRequest } from '../../express-types.js'

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i
const ACCEPTS_JSON = /\bapplication\/(?:problem\+)?json\b/i
const ACCEPTS_HTML = /\btext\/html\b/i

/**
 * JSON or a page. A navigation gets a page, whatever it accepts. A client that sends or accepts JSON gets JSON. Any other
 * gets what it accepts, preferably a page.
 */
export function wantsJson(req: OtpRequest): boolean {
  const { 'sec-fetch-dest': destination, accept = '', 'content-type': type = '' } = req.headers
  if (destination === 'document') return false
  if (JSON_TYPE.test(type)) return true
  const acceptsHtml = ACCEPTS_HTML.test(accept)
  if (!acceptsHtml && (ACCEPTS_JSON.test(accept) || destination !== undefined)) return true // fetch() sends */*
  return req.accepts(['html', 'json']) === 'json'
}

/** Whether a browser opens a page, so that it can be redirected to ours. `Accept: *`/`*` alone does not count. */
export function isNavigation(req: OtpRequest): boolean {
  if (req.headers['sec-fetch-dest'] === 'document') return true
  return ACCEPTS_HTML.test(req.headers.accept ?? '') && !wantsJson(req)
}
