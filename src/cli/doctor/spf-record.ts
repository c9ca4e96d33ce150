import { isIP } from 'node:net'

export type Qualifier = '+' | '-' | '~' | '?'

/** One term of an SPF record (RFC 7208 4.6.1). */
export interface Mechanism {
  readonly qualifier: Qualifier
  readonly name: 'all' | 'include' | 'a' | 'mx' | 'ptr' | 'ip4' | 'ip6' | 'exists'
  /** The domain or the address after the colon, or empty. */
  readonly target: string
  /** Bits of the network that addresses are compared by. */
  readonly prefix4: number
  readonly prefix6: number
}

export interface SpfRecord {
  readonly mechanisms: readonly Mechanism[]
  /** The domain whose record decides when no mechanism matches. */
  readonly redirect: string | null
}

/** A record that receivers do not evaluate (RFC 7208 2.6.7). */
export class SpfPermError extends Error {
  override readonly name = 'SpfPermError'
}

const MODIFIER = /^([a-z][a-z0-9_.-]*)=(.*)$/i
const MECHANISM = /^([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/]+))?(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/i
const NETWORK = /^([+?~-]?)(ip4|ip6):([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i
const NEEDS_TARGET = ['include', 'exists', 'ip4', 'ip6']

export function isSpfRecord(text: string): boolean {
  return /^v=spf1( |$)/i.test(text)
}

/** @throws SpfPermError */
export function parseSpf(text: string): SpfRecord {
  const mechanisms: Mechanism[] = []
  let redirect: string | null = null
  for (const term of text.split(/ +/).slice(1).filter(Boolean)) {
    const [, modifier = '', value = ''] = MODIFIER.exec(term) ?? []
    if (modifier === '') mechanisms.push(parseMechanism(term))
    else if (modifier.toLowerCase() === 'redirect') redirect = value
  }
  return { mechanisms, redirect }
}

function parseMechanism(term: string): Mechanism {
  const network = NETWORK.exec(term)
  const [, sign = '', name = '', target = '', first, second] = network ?? MECHANISM.exec(term) ?? []
  const mechanism = name.toLowerCase() as Mechanism['name']
  if (name === '' || (target === '' && NEEDS_TARGET.includes(mechanism))) {
    throw new SpfPermError(`the term "${term}" is not understood`)
  }
  if (mechanism.startsWith('ip') && isIP(target) !== Number(mechanism.slice(2))) {
    throw new SpfPermError(`the term "${term}" has no such address`)
  }
  const prefix4 = Number((mechanism === 'ip6' ? undefined : first) ?? 32)
  const prefix6 = Number((mechanism === 'ip6' ? first : second) ?? 128)
  if (prefix4 > 32 || prefix6 > 128) throw new SpfPermError(`the term "${term}" has no such network`)
  return { qualifier: (sign || '+') as Qualifier, name: mechanism, target, prefix4, prefix6 }
}
