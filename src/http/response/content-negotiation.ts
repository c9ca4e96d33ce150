import type { OtpRequest } from '../../express-types.js'

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i
const ACCEPTS_JSON = /\bapplication\/(?:problem\+)?json\b/i
const ACCEPTS_HTML = /\btext\/html\b/i

/** Longer headers are not parsed. Browsers send less than 200 characters; 15 000 commas cost milliseconds. */
const MAX_HEADER_LENGTH = 1_024

/** A request is asked several times: for its page, for its errors, and by each guard in its way. */
const answers = new WeakMap<OtpRequest, boolean>()

/**
 * JSON or a page. A navigation gets a page, whatever it accepts. A client that sends or accepts JSON gets JSON. Any other
 * gets what it accepts, preferably a page.
 */
export function wantsJson(req: OtpRequest): boolean {
  const answer = answers.get(req) ?? negotiate(req)
  answers.set(req, answer)
  return answer
}

/** Whether a browser opens a page, so that it can be redirected to ours. `Accept: *`/`*` alone does not count. */
export function isNavigation(req: OtpRequest): boolean {
  if (req.headers['sec-fetch-dest'] === 'document') return true
  return ACCEPTS_HTML.test(readHeader(req, 'accept')) && !wantsJson(req)
}

/** The languages of the browser, best first; none if its header is missing or too long. */
export function acceptedLanguages(req: OtpRequest): readonly string[] {
  return readHeader(req, 'accept-language') === '' ? [] : req.acceptsLanguages()
}

function negotiate(req: OtpRequest): boolean {
  const { 'sec-fetch-dest': destination, 'content-type': type = '' } = req.headers
  if (destination === 'document') return false
  if (JSON_TYPE.test(type)) return true
  const accept = readHeader(req, 'accept')
  const acceptsHtml = ACCEPTS_HTML.test(accept)
  if (!acceptsHtml && (ACCEPTS_JSON.test(accept) || destination !== undefined)) return true // fetch() sends */*
  return accept !== '' && req.accepts(['html', 'json']) === 'json'
}

/** Empty if the header is missing or too long: then anything is accepted. */
function readHeader({ headers }: OtpRequest, name: 'accept' | 'accept-language'): string {
  const value = headers[name] ?? ''
  return value.length > MAX_HEADER_LENGTH ? '' : value
}
