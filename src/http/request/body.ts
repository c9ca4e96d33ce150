/**
 * One field of a form or JSON body: a single string (CVE-2023-7028). `code[]=` and the like name the field without
 * being it, whichever parser the host has put in front.
 * @returns null when it is not there, undefined when it is anything but one string of at most `longest` characters
 */
export function readField(body: unknown, name: string, maxLength: number): string | null | undefined {
  if (body === undefined || body === null) return null
  if (typeof body !== 'object' || Array.isArray(body) || Buffer.isBuffer(body)) return undefined
  if (Object.keys(body).some((key) => key.startsWith(`${name}[`) || key.startsWith(`${name}.`))) return undefined
  if (!Object.hasOwn(body, name)) return null
  const value = (body as Record<string, unknown>)[name]
  return typeof value === 'string' && value.length <= maxLength ? value : undefined
}
