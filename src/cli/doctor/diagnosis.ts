import { printable } from '../io.js'

export type CheckName =
  'connection' | 'tls' | 'capabilities' | 'login' | 'sender' | 'from' | 'mx' | 'spf' | 'dkim' | 'dmarc' | 'clock'

/** What one check found. `unknown` is what cannot be told from here; only `ok` needs no cure. */
export type Diagnosis = { readonly check: CheckName; readonly message: string } & (
  | { readonly level: 'ok'; readonly cure: null }
  | { readonly level: 'unknown' | 'warning' | 'error'; readonly cure: string }
)

const MAX_QUOTE = 200

export function ok(check: CheckName, message: string): Diagnosis {
  return { check, level: 'ok', message: printable(message), cure: null }
}

export function problem(
  level: 'unknown' | 'warning' | 'error',
  check: CheckName,
  message: string,
  cure: string,
): Diagnosis {
  return { check, level, message: printable(message), cure: printable(cure) }
}

/** Text of a server, a certificate or the DNS, short enough for a line. */
export function quote(text: string): string {
  const line = printable(text)
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line
}
