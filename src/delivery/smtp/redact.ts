const MAX_LENGTH = 200
/** Shorter secrets occur in any text by chance: they are replaced, but the text is not withheld. */
const MIN_WITHHELD_LENGTH = 4
const WITHHELD = '(withheld: it repeats the address or the code)'

const REPLY_CODE = /^[245]\d\d[ -](?:[245]\.\d\.\d{1,3} )?/
/** What looks like an address, and what looks like a code. */
const MASKS = [
  [/[^\s<>"'(),;:@]{1,64}@[^\s<>"'(),;:@]{1,255}/g, '•••'],
  [/\p{Nd}(?:[ .-]?\p{Nd}){3,}/gu, '••••'],
] as const

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
  const withheld = secrets.map(lettersAndDigits).filter((secret) => secret.length >= MIN_WITHHELD_LENGTH)
  const repeatsSecret = (text: string): boolean => {
    const letters = lettersAndDigits(text)
    return withheld.some((secret) => letters.includes(secret))
  }
  const [replyCode = ''] = REPLY_CODE.exec(masked) ?? []
  // Only a match that holds a whole secret is replaced before the check: half of a code would hide the other half from it.
  const rest = mask(masked.slice(replyCode.length), repeatsSecret)
  if (repeatsSecret(replyCode + rest)) return WITHHELD
  const text = replyCode + mask(rest, () => true)
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
}

function mask(text: string, isMasked: (match: string) => boolean): string {
  return MASKS.reduce((rest, [pattern, by]) => rest.replace(pattern, (match) => (isMasked(match) ? by : match)), text)
}

function lettersAndDigits(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}
