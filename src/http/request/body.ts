/**
 * One field of a form or JSON body: a single string (CVE-2023-7028). `code[]=` and `code.x=` are refused, whichever
 * parser the host uses.
 * @returns null if the field is missing, undefined if it is not one string of at most `maxLength` characters
 */
export function readField(body: unknown, name: string, maxLength: number): string | null | undefined {
  if (body === undefined || body === null) return null
  if (typeof body !== 'object' || Array.isArray(body) || Buffer.isBuffer(body)) return undefined
  for (const key in body) {
    if (key.startsWith(`${name}[`) || key.startsWith(`${name}.`)) return undefined
  }
  if (!Object.hasOwn(body, name)) return null
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}

/**
 * Whether a parsed body holds more than `limit` bytes of text. Without recursion: a body nested ten thousand deep must not
 * overflow the stack. Stops as soon as the limit is passed.
 */
export function isLargerThan(body: unknown, limit: number): boolean {
  let size = 0
  const rest: unknown[] = [body]
  while (rest.length > 0) {
    const value = rest.pop()
    size += 2 // quotes, brackets, separators
    if (Buffer.isBuffer(value)) size += value.length
    else if (typeof value === 'string') size += Buffer.byteLength(value)
    else if (Array.isArray(value)) {
      if (value.length > limit) return true
      rest.push(...(value as unknown[]))
    } else if (typeof value === 'object' && value !== null) {
      // Not Object.keys(): it makes a list of all members first, however many there are.
      for (const key in value) {
        if (!Object.hasOwn(value, key)) continue
        size += Buffer.byteLength(key)
        rest.push((value as Record<string, unknown>)[key])
        if (size + rest.length > limit) return true
      }
    }
    if (size + rest.length > limit) return true
  }
  return false
}
