import { OtpError } from '../errors.js'

const MAX_LENGTH = 140

/** One line of at most 140 characters. Control and direction characters are removed: they could change how it reads. */
export function sanitizeDescription(description: unknown): string | null {
  if (typeof description !== 'string') throw new OtpError('host_callback', '`describe(req)` must give a string.')
  const line = description.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return line === '' ? null : line.slice(0, MAX_LENGTH).replace(/[\uD800-\uDBFF]$/, '')
}
