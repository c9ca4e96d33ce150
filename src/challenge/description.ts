import { OtpError } from '../errors.js'

const MAX_LENGTH = 140
/** What is read of it: a client may have filled it with a hundred kilobytes of spaces. */
const MAX_INPUT_LENGTH = 4_096

/** One line of at most 140 characters. Control and direction characters are removed: they could change how it reads. */
export function sanitizeDescription(description: unknown): string | null {
  if (typeof description !== 'string') throw new OtpError('host_callback', '`describe(req)` must give a string.')
  const line = description
    .slice(0, MAX_INPUT_LENGTH)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return line === '' ? null : line.slice(0, MAX_LENGTH).replace(/[\uD800-\uDBFF]$/, '')
}
