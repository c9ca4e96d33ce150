/** Longer texts are not kept, so that clients cannot fill the memory. */
const MAX_TEXT_LENGTH = 4_096

/**
 * Caches the results of a pure function of a text. When `maxEntries` are reached, the cache is emptied. Results are
 * shared, so callers must not modify them.
 */
export function memoize<T>(make: (text: string) => T, maxEntries = 1_000): (text: string) => T {
  const results = new Map<string, T>()
  return (text) => {
    const cached = results.get(text)
    if (cached !== undefined) return cached
    const result = make(text)
    if (text.length > MAX_TEXT_LENGTH) return result
    if (results.size >= maxEntries) results.clear()
    results.set(text, result)
    return result
  }
}
