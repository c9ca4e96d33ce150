/**
 * The longest path that we redirect to, and the longest sealed step-up: stock nginx takes 4 kB of response headers, with
 * cookie and policy among them.
 */
export const MAX_REDIRECT_LENGTH = 3_500

/**
 * Whether every browser takes text for a path on this site: one slash at the front, no second slash or backslash after
 * it, printable ASCII only and no quote, not too long for a header (CWE-601, CVE-2024-29041).
 */
export function isSitePath(text: string): boolean {
  return text.length <= MAX_REDIRECT_LENGTH && /^\/(?!\/)[\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
}

/**
 * A path on this site, with quotes, backslashes and non-ASCII percent-encoded. The first two characters are checked before:
 * what a browser may take for the start of a host name is refused, not encoded. So are spaces and control characters.
 * @param encoding `latin1` for the URL of a request, of which Node makes one character from each byte
 * @returns null if the text is no such path, or too long
 */
export function toSitePath(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  if (text.length > MAX_REDIRECT_LENGTH || /^\/[/\\]/.test(text)) return null
  const path = text.replace(/["\\]|[^\0-\x7f]+/g, (characters) =>
    Buffer.from(characters, encoding).toString('hex').replace(/../g, '%$&').toUpperCase(),
  )
  return isSitePath(path) ? path : null
}

/** Whether a path is below a mount path, as browsers read it: they resolve `/x/../2fa` and `/%2e/2fa`. */
export function isUnder(path: string, mount: string): boolean {
  const [plain, prefix] = [resolvePath(path), mount && resolvePath(mount)]
  return plain === prefix || plain.startsWith(`${prefix}/`)
}

/** Without dot segments, query and case. */
function resolvePath(path: string): string {
  return new URL(`http://host${path}`).pathname.toLowerCase()
}

/** The URL; null if the text is not one. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
