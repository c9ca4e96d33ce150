/**
 * Whether text is a path on this site whatever a browser does with it: one slash at the front, no second slash or
 * backslash behind it, printable ASCII only and no quote, 2 048 characters at most (CWE-601, CVE-2024-29041).
 */
export function isSitePath(text: string): boolean {
  return text.length <= 2048 && /^\/(?!\/)[\x21\x23-\x5b\x5d-\x7e]*$/.test(text)
}

/** Whether a path lies under the plugin's own mount point. */
export function isUnder(path: string, mount: string): boolean {
  const [plain = ''] = path.toLowerCase().split(/[?#]/, 1)
  return plain === mount.toLowerCase() || plain.startsWith(`${mount.toLowerCase()}/`)
}

/** The URL, or null when it is none. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
