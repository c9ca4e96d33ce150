import { timingSafeEqual } from 'node:crypto'
import { type Keys, mac } from './keys.js'

/** How a code looks: `length` characters out of `alphabet`. */
export interface CodeFormat {
  readonly alphabet: string
  readonly length: number
}

/** `short`: the format of the option `code`. `long`: the format once the user's `failures` bucket was empty. */
export type CodeKind = 'short' | 'long'

/** What a code is derived from. Changing any part gives another code and another digest. */
export interface CodeInputs {
  readonly challengeId: string
  readonly user: string
  readonly purpose: string
  readonly details: string | null
}

export const DIGITS = '0123456789'

/** 13 characters of Crockford's base 32: 65 bits, more than can be guessed over HTTP. */
export const LONG_FORMAT: CodeFormat = { alphabet: '0123456789ABCDEFGHJKMNPQRSTVWXYZ', length: 13 }

/** The formats of short codes: for signed-in users, and for typed addresses, which are all that those show. */
export type ShortFormats = Readonly<Record<'user' | 'address', CodeFormat>>

/** The format of the codes of a challenge. It goes with the identity: one app may have both. */
export function formatOf(
  { kind, identity }: { readonly kind: CodeKind; readonly identity: { readonly type: keyof ShortFormats } },
  short: ShortFormats,
): CodeFormat {
  return kind === 'long' ? LONG_FORMAT : short[identity.type]
}

/**
 * Derives the code of a challenge. It is never stored, and a resend derives the same one.
 * 128 bits of HMAC are reduced to the alphabet; at most 2^64 possibilities are allowed, so the bias stays
 * under 2^-64 (and is zero for the long format, where 2^65 divides 2^128).
 */
export function deriveCode(keys: Keys, inputs: CodeInputs, kind: CodeKind, format: CodeFormat): string {
  const { challengeId, user, purpose, details } = inputs
  const bits = mac(keys.code, kind, challengeId, user, purpose, details).subarray(0, 16)
  let remaining = BigInt(`0x${bits.toString('hex')}`)
  const base = BigInt(format.alphabet.length)
  let code = ''
  while (code.length < format.length) {
    code = format.alphabet.charAt(Number(remaining % base)) + code
    remaining /= base
  }
  return code
}

/** Keyed hash of a code and of everything that it is bound to: all that a store sees of the code. */
export function digestCode(keys: Keys, inputs: CodeInputs, code: string): string {
  const { challengeId, user, purpose, details } = inputs
  return mac(keys.digest, challengeId, user, purpose, details, code).toString('base64url')
}

/** Compares in constant time (ASVS 11.2.4). */
export function sameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * Normalises a typed or pasted code: removes white space, dashes, format characters and a closing full stop, takes the code
 * out of a bound line (`@acme.example #482915`), and understands full-width forms, the digits of any script and any letter
 * case.
 * @returns the code in its own alphabet, or null if length or alphabet are wrong
 */
export function normaliseCode(typed: string, kind: CodeKind, format: CodeFormat): string | null {
  const plain = typed
    .replace(/[\uFF01-\uFF5E]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/\p{Nd}/gu, digitValue)
    .replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, '')
    .replace(/^@[^#]+#/, '')
    .replace(/[.\u3002\uFF61\u06D4\u0964]$/, '') // also the full stops of Chinese, Japanese, Urdu and Hindi
  if (plain.length !== format.length) return null
  const letters = Array.from(plain, (c) => inAlphabet(kind === 'long' ? normaliseCrockford(c) : c, format.alphabet))
  return letters.includes(null) ? null : letters.join('')
}

/** Decimal digits of a script are ten characters in a row, in ascending order (Unicode 4.6), and some rows adjoin. */
function digitValue(digit: string): string {
  const codePoint = digit.codePointAt(0) ?? 0
  let first = codePoint
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1
  return String((codePoint - first) % 10)
}

/** The code as the mail shows it: long ones as XXXXX-XXXX-XXXX. */
export function displayCode(code: string, kind: CodeKind): string {
  return kind === 'long' ? `${code.slice(0, 5)}-${code.slice(5, 9)}-${code.slice(9)}` : code
}

/** How many codes the format allows. */
export function keyspace(format: CodeFormat): bigint {
  return BigInt(format.alphabet.length) ** BigInt(format.length)
}

function inAlphabet(character: string, alphabet: string): string | null {
  const forms = [character, character.toUpperCase(), character.toLowerCase()]
  return forms.find((form) => form.length === 1 && alphabet.includes(form)) ?? null
}

// Crockford: letters that are not in the alphabet stand for the digits that they look like.
function normaliseCrockford(character: string): string {
  return { O: '0', I: '1', L: '1' }[character.toUpperCase()] ?? character
}
