/** The codes in raw messages, one each. */
export function codesIn(messages: readonly string[]): string[] {
  return messages.flatMap((message) => /^\d{6,18}(?=\r?$)/m.exec(message) ?? [])
}
