import { domainToASCII } from 'node:url'

/** Exactly one mailbox. */
export interface Address {
  /** As the mail server gets it: local part as typed, domain as lower-case A-labels. */
  readonly address: string
  /** Lower-cased, for buckets and comparisons. */
  readonly key: string
}

const MAX_LENGTH = 254
const ENDS = /^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const TYPED_DOMAIN = /^[\p{L}\p{N}\p{M}.-]+$/u
const ASCII_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Reads exactly one addr-spec (RFC 5321 4.1.2, dot-string only): no names, comments, lists, quoted local
 * parts, address literals or encoded words. Text that NFKC would change is refused: lookalike addresses have taken over
 * accounts (CVE-2019-19844). White space and format characters around the address, as copied text has them, are ignored.
 * @returns null for anything else
 */
export function parseAddress(text: string): Address | null {
  if (text.length > 4 * MAX_LENGTH) return null // before trimming, which takes quadratic time
  const spec = text.replace(ENDS, '')
  if (spec.normalize('NFKC') !== spec || Buffer.byteLength(spec) > MAX_LENGTH) return null
  const at = spec.lastIndexOf('@')
  const local = spec.slice(0, Math.max(at, 0))
  // "=?" opens an encoded word (RFC 2047), which some mail software would decode into another address.
  if (!LOCAL_PART.test(local) || local.length > 64 || local.includes('=?')) return null
  const domain = asciiDomain(spec.slice(at + 1))
  if (domain === null) return null
  const address = `${local}@${domain}`
  if (address.length > MAX_LENGTH) return null
  return { address, key: address.toLowerCase() }
}

/** For pages: enough to recognise one's own address, too little to learn it (ASVS 14.2.6). */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, 1)}•••${address.slice(at)}`
}

function asciiDomain(typed: string): string | null {
  // domainToASCII parses like a browser's address bar and would decode "%61", so it gets letters only.
  if (!TYPED_DOMAIN.test(typed)) return null
  const domain = domainToASCII(typed).toLowerCase()
  return domain === 'localhost' || (ASCII_DOMAIN.test(domain) && domain.length <= 253) ? domain : null
}
