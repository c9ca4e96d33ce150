/** Longer texts are not kept: whoever sends them must not fill the memory. */
const MAX_TEXT_LENGTH = 4_096

/**
 * Remembers what a pure function made of a text, for texts that come again and again. Forgets everything when `maxEntries`
 * are reached. Keyed by the text itself, so results must not be changed by whoever gets them.
 */
export function memoize<T>(make: (text: string) => T, maxEntries = 1_000): (text: string) => T {
  const results = new Map<string, T>()
  return (text) => {
    const known = results.get(text)
    if (known !== undefined) return known
    const result = make(text)
    if (text.length > MAX_TEXT_LENGTH) return result
    if (results.size >= maxEntries) results.clear()
    results.set(text, result)
    return result
  }
}
