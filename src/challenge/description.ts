import { OtpError } from '../errors.js'

/** One line of at most 140 characters, without controls and direction marks that could make it read otherwise. */
export function sanitizeDescription(description: unknown): string | null {
  if (typeof description !== 'string') throw new OtpError('host_callback', '`describe(req)` must give a string.')
  const singleLine = description.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return singleLine === '' ? null : singleLine.slice(0, 140).replace(/[\uD800-\uDBFF]$/, '')
}
