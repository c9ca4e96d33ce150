import { inspect } from 'node:util'
import { OtpError } from '../errors.js'

/**
 * What a template, a helper or `mail.render` throws may quote what it renders, but no event may show the code: of the cause
 * only its masked text is kept.
 */
export function withoutCode(error: OtpError, code: string): OtpError {
  const mask = (text: string): string => (code === '' ? text : text.replace(spaced(code), '•••'))
  const options = error.cause === undefined ? {} : { cause: new Error(mask(textOf(error.cause))) }
  return new OtpError(error.code, mask(error.message), options)
}

/** The code, whatever stands between its characters. */
export function spaced(code: string): RegExp {
  return new RegExp(
    code
      .replace(/[^A-Za-z0-9]/g, '')
      .split('')
      .join('[^A-Za-z0-9]*'),
    'gi',
  )
}

function textOf(cause: unknown): string {
  try {
    return inspect(cause)
  } catch {
    return 'an error that cannot be shown' // a host's object may throw when it is looked at
  }
}
