import { domainToASCII } from 'node:url'

/** One mailbox, proven to be exactly one. */
export interface Address {
  /** As it is handed to the mail server: local part as typed, domain as lower-case A-labels. */
  readonly address: string
  /** The same mailbox written in one way, for buckets and comparisons. */
  readonly key: string
}

const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const TYPED_DOMAIN = /^[\p{L}\p{N}\p{M}.-]+$/u
const ASCII_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Reads exactly one addr-spec (RFC 5321 4.1.2, dot-string only): no names, comments, lists, quoted local
 * parts, address literals or encoded words. Text that NFKC would change is refused instead of changed: what
 * looks like a mailbox and is another one has taken over accounts (CVE-2019-19844).
 * White space around it is forgiven.
 * @returns null when it is anything else
 */
export function parseAddress(text: string): Address | null {
  const spec = text.trim()
  if (spec.normalize('NFKC') !== spec || Buffer.byteLength(spec) > 254) return null
  const at = spec.lastIndexOf('@')
  const local = spec.slice(0, Math.max(at, 0))
  // "=?" opens an encoded word (RFC 2047), which some mail software would decode into another address.
  if (!LOCAL_PART.test(local) || local.length > 64 || local.includes('=?')) return null
  const domain = asciiDomain(spec.slice(at + 1))
  if (domain === null) return null
  const address = `${local}@${domain}`
  if (address.length > 254) return null
  return { address, key: address.toLowerCase() }
}

/** For pages: enough to recognise one's own address, too little to learn it (ASVS 14.2.6). */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, 1)}•••${address.slice(at)}`
}

function asciiDomain(typed: string): string | null {
  // domainToASCII reads like a browser's address bar and would decode "%61"; only letters may reach it.
  if (!TYPED_DOMAIN.test(typed)) return null
  const domain = domainToASCII(typed).toLowerCase()
  return domain === 'localhost' || (ASCII_DOMAIN.test(domain) && domain.length <= 253) ? domain : null
}
