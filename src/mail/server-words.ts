/*
 * What a mail server says in its replies, for the eyes of whoever runs the app. A server may repeat the address or
 * parts of the message, so nothing of it is told as it came.
 */

const LONGEST = 200

/**
 * The words on one line, with addresses, runs of four digits or more, and everything in `secrets` masked: in any case of
 * letters, and with anything between their characters. The reply code at the beginning stays.
 */
export function maskWords(words: string, secrets: readonly string[] = []): string {
  const plain = words
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  const [code = ''] = /^\d{3}[ -](?:\d\.\d{1,3}\.\d{1,3} )?/.exec(plain) ?? []
  let text = plain.slice(code.length)
  const known = secrets.filter((secret) => secret.length > 1).sort((a, b) => b.length - a.length)
  for (const secret of known) text = text.replaceAll(new RegExp(spread(secret), 'giu'), '•••')
  text = text.replace(/[^\s<>"'(),;:@]{1,64}@[^\s<>"'(),;:@]{1,255}/g, '•••')
  text = code + text.replace(/\p{Nd}(?:[ .-]?\p{Nd}){3,}/gu, '••••')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/**
 * Seconds that a server asks us to stay away: "try again in 30 seconds", "after 5 minutes", "come back in 00:04:59".
 * @returns null when it names none
 */
export function waitAsked(words: string): number | null {
  const clock = /\b(?:in|after)\s+(\d{1,2}):(\d{2}):(\d{2})\b/i.exec(words)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const plain = /\b(?:in|after|for)\s+(\d{1,6})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)\b/i.exec(words)
  if (!plain) return null
  const [, count, unit = ''] = plain
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit.charAt(0).toLowerCase()] ?? 1)
}

/** Whether a limit is one of the day (SES, Gmail and others say so in words), not of the moment. */
export function isOfTheDay(words: string): boolean {
  return /\bdaily\b|\bper day\b|\b24[ -]?h(?:ours?)?\b|\btoday\b/i.test(words)
}

/** The characters of a secret with whatever a server may put between them. */
function spread(secret: string): string {
  const characters = Array.from(secret, (one) => one.replace(/[.*+?^${}()|[\]\\/]/, '\\$&'))
  return secret.length < 4 ? characters.join('') : characters.join('[^\\p{L}\\p{N}]{0,3}')
}
