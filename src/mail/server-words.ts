/*
 * What a mail server says in its replies, for the eyes of whoever runs the app. A server may repeat the address or
 * parts of the message, so nothing of it is told as it came.
 */

const LONGEST = 200

/**
 * The words on one line, with addresses, runs of four digits or more, and everything in `secrets` (in any case of
 * letters) masked. Reply codes stay readable.
 */
export function maskWords(words: string, secrets: readonly string[] = []): string {
  const known = secrets.filter((secret) => secret.length > 1).sort((a, b) => b.length - a.length)
  let text = words.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  for (const secret of known) text = text.replaceAll(new RegExp(escaped(secret), 'gi'), '•••')
  const plain = text.replace(/[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/g, '•••').replace(/\d{4,}|\d(?:[ -]\d){3,}/g, '••••')
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain
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

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
