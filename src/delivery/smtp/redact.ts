const MAX_LENGTH = 200
/** Shorter secrets occur in any text by chance: they are replaced, but the text is not withheld. */
const MIN_WITHHELD_LENGTH = 4
const WITHHELD = '(withheld: it repeats the address or the code)'

/**
 * A server's reply on one line, for logs and events. A server may quote the address or the message, so `secrets`,
 * addresses, encoded words (RFC 2047) and runs of four digits or more are replaced; the reply code stays. If a secret is
 * still there with other characters between its letters and digits, the whole text is withheld. Takes linear time,
 * whatever was typed and whatever the server says.
 */
export function redact(response: string, secrets: readonly string[] = []): string {
  const line = response
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/=\?[^?\s]{1,75}\?[bq]\?[^?\s]*(?:\?=)?/gi, '•••')
    .trim()
  const longestFirst = secrets.filter((secret) => secret.length > 1).sort((a, b) => b.length - a.length)
  const masked = longestFirst.reduce(
    (text, secret) => text.replace(new RegExp(secret.replace(/[^A-Za-z0-9]/g, '\\$&'), 'gi'), '•••'),
    line,
  )
  const [replyCode = ''] = /^[245]\d\d[ -](?:[245]\.\d\.\d{1,3} )?/.exec(masked) ?? []
  const rest = masked
    .slice(replyCode.length)
    .replace(/[^\s<>"'(),;:@]{1,64}@[^\s<>"'(),;:@]{1,255}/g, '•••')
    .replace(/\p{Nd}(?:[ .-]?\p{Nd}){3,}/gu, '••••')
  const text = replyCode + rest
  const letters = lettersAndDigits(text)
  const isLeaking = secrets.map(lettersAndDigits).some((s) => s.length >= MIN_WITHHELD_LENGTH && letters.includes(s))
  if (isLeaking) return WITHHELD
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
}

function lettersAndDigits(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}
