/*
 * What a mail server says in its replies, for the eyes of whoever runs the app. A server may repeat the address or
 * parts of the message, so nothing of it is told as it came.
 */

const LONGEST = 200

/** Shorter ones are found only as they are: their letters would be found in any text. */
const LEAST_SPREAD = 4

/**
 * The words on one line, with addresses, encoded words (RFC 2047), runs of four digits or more, and everything in
 * `secrets` masked: in any case of letters, and with anything between their letters and digits. The reply code at the
 * beginning stays. Takes time in proportion to the words, whatever a person typed or a server says.
 */
export function redact(response: string, secrets: readonly string[] = []): string {
  const plain = response
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/=\?[^?\s]{1,75}\?[bq]\?[^?\s]*(?:\?=)?/gi, '•••')
    .trim()
  const known = secrets.filter((secret) => secret.length > 1).sort((a, b) => b.length - a.length)
  const masked = known.reduce((text, secret) => maskSpread(maskAsIs(text, secret), secret), plain)
  const [code = ''] = /^[245]\d\d[ -](?:[245]\.\d\.\d{1,3} )?/.exec(masked) ?? []
  const rest = masked
    .slice(code.length)
    .replace(/[^\s<>"'(),;:@]{1,64}@[^\s<>"'(),;:@]{1,255}/g, '•••')
    .replace(/\p{Nd}(?:[ .-]?\p{Nd}){3,}/gu, '••••')
  const text = code + rest
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/**
 * Seconds that a server asks us to stay away: "try again in 30 seconds", "after 5 minutes", "come back in 00:04:59".
 * @returns null when it names none
 */
export function parseRetryAfter(response: string): number | null {
  const clock = /\b(?:in|after)\s+(\d{1,2}):(\d{2}):(\d{2})\b/i.exec(response)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const plain = /\b(?:in|after|for)\s+(\d{1,6})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)\b/i.exec(response)
  if (!plain) return null
  const [, count, unit = ''] = plain
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit.charAt(0).toLowerCase()] ?? 1)
}

/** Whether a limit is one of the day (SES, Gmail and others say so in words), not of the moment. */
export function mentionsDailyLimit(response: string): boolean {
  return /\bdaily\b|\bper day\b|\b24[ -]?h(?:ours?)?\b|\btoday\b/i.test(response)
}

function maskAsIs(text: string, secret: string): string {
  return text.replace(new RegExp(secret.replace(/[^A-Za-z0-9]/g, '\\$&'), 'gi'), '•••')
}

/** Looks at letters and digits alone, so that nothing between them hides a secret, and no pattern has to try gaps. */
function maskSpread(text: string, secret: string): string {
  const sought = spreadOf(secret).letters
  if (sought.length < LEAST_SPREAD) return text
  const { letters, at } = spreadOf(text)
  let [told, from] = ['', 0]
  for (let i = letters.indexOf(sought); i >= 0; i = letters.indexOf(sought, i + sought.length)) {
    told += `${text.slice(from, at[i])}•••`
    from = (at[i + sought.length - 1] ?? 0) + 1
  }
  return told + text.slice(from)
}

/** The letters and digits of a text in one case, and where each stands in it. */
function spreadOf(text: string): { readonly letters: string; readonly at: readonly number[] } {
  const at: number[] = []
  let letters = ''
  for (const { 0: found, index } of text.matchAll(/[\p{L}\p{N}]/gu)) {
    const folded = found.toLowerCase()
    letters += folded
    for (let i = 0; i < folded.length; i++) at.push(index + Math.min(i, found.length - 1))
  }
  return { letters, at }
}
