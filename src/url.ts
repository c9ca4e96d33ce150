/**
 * Whether every browser takes text for a path on this site: one slash at the front, no second slash or backslash after
 * it, printable ASCII only and no quote, 2 048 characters at most (CWE-601, CVE-2024-29041).
 */
export function isSitePath(text: string): boolean {
  return text.length <= 2048 && /^\/(?!\/)[\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
}

/** Whether a path is below the plugin's mount path. */
export function isUnder(path: string, mount: string): boolean {
  const [plain = ''] = path.toLowerCase().split(/[?#]/, 1)
  return plain === mount.toLowerCase() || plain.startsWith(`${mount.toLowerCase()}/`)
}

/** The URL; null if the text is not one. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
