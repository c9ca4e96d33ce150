const MAX_LENGTH = 64
const LINE_BREAK = /[\n\v\f\r\u0085\u2028\u2029]/
/** All but the joiners, without which some scripts are misspelt. */
const INVISIBLE = /[\p{Cc}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu
const JOINERS = /[\u200c\u200d]/g
/** What mail programs make a link of: a scheme, `//`, `@host`, `www.`, and a name with a dot in it. */
const LINK = /[:@]\S|\/\/|www[.。]|[\p{L}\p{M}\p{N}][.。][\p{L}\p{M}\p{N}]{2}/iu

/**
 * The name of a user for a mail: one line of at most 64 characters, without invisible ones. Empty if it is something else,
 * or could become a link: whoever signs up with a stranger's address chooses the name that the stranger reads.
 */
export function recipientName(name: unknown): string {
  if (typeof name !== 'string' || LINE_BREAK.test(name.trim())) return ''
  const visible = name.replace(/\s+/g, ' ').replace(INVISIBLE, '').trim()
  const letters = visible.replace(JOINERS, '').normalize('NFKC')
  return letters === '' || LINK.test(letters) || visible.length > MAX_LENGTH ? '' : visible
}
