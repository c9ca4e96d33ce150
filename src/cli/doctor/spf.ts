import { BlockList, isIP } from 'node:net'
import { addressesOf, type DnsResolver, mxOf, textsOf } from './dns.js'
import { isSpfRecord, type Mechanism, parseSpf, type Qualifier, SpfPermError, type SpfRecord } from './spf-record.js'

/**
 * What a receiver makes of a mail from this address (RFC 7208 2.6). `unknown`: the record asks for more than the address,
 * such as the recipient or the reverse DNS.
 */
export type SpfResult = 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'permerror' | 'unknown'

export interface SpfFinding {
  readonly result: SpfResult
  /** Why the result is `permerror`, else empty. */
  readonly reason: string
  /** All domains that the record includes, as far as it was read. */
  readonly includes: ReadonlySet<string>
}

const RESULTS: Readonly<Record<Qualifier, SpfResult>> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' }
const MAX_LOOKUPS = 10 // RFC 7208 4.6.4
const MAX_EXCHANGES = 10 // RFC 7208 4.6.4

/**
 * Evaluates the SPF record of a domain for one address.
 * @throws DnsError
 */
export async function evaluateSpf(resolver: DnsResolver, domain: string, address: string): Promise<SpfFinding> {
  const evaluation = new Evaluation(resolver, address)
  try {
    const result = await evaluation.of(domain)
    return { result, reason: '', includes: evaluation.includes }
  } catch (error) {
    if (!(error instanceof SpfPermError)) throw error
    return { result: 'permerror', reason: error.message, includes: evaluation.includes }
  }
}

/** One evaluation, with what it has used up. */
class Evaluation {
  readonly includes = new Set<string>()
  #lookups = 0

  constructor(
    private readonly resolver: DnsResolver,
    private readonly address: string,
  ) {}

  async of(domain: string): Promise<SpfResult> {
    const record = await this.#recordOf(domain)
    if (!record) return 'none'
    let isUnknown = false
    for (const mechanism of record.mechanisms) {
      const isMatch = await this.#matches(mechanism, domain)
      if (isMatch === true) return isUnknown && mechanism.qualifier !== '+' ? 'unknown' : RESULTS[mechanism.qualifier]
      isUnknown ||= isMatch === null
    }
    if (isUnknown || record.redirect?.includes('%')) return 'unknown'
    return record.redirect === null ? 'neutral' : this.#required(record.redirect)
  }

  async #recordOf(domain: string): Promise<SpfRecord | null> {
    const records = (await textsOf(this.resolver, domain)).filter(isSpfRecord)
    if (records.length > 1) throw new SpfPermError(`${domain} has ${records.length} SPF records`)
    return records[0] === undefined ? null : parseSpf(records[0])
  }

  /** Of an `include` or a `redirect`, which must lead to a record (RFC 7208 5.2 and 6.1). */
  async #required(domain: string): Promise<SpfResult> {
    this.#count()
    this.includes.add(domain.toLowerCase())
    const result = await this.of(domain)
    if (result === 'none') throw new SpfPermError(`${domain} has no SPF record`)
    return result
  }

  /** @returns null if it cannot be told from here */
  async #matches(mechanism: Mechanism, domain: string): Promise<boolean | null> {
    const { name, target } = mechanism
    if (name === 'all') return true
    if (name === 'ip4' || name === 'ip6') return this.#isIn([target], mechanism)
    if (target.includes('%') || name === 'ptr') {
      this.#count()
      return null
    }
    if (name === 'include') {
      const result = await this.#required(target)
      return result === 'unknown' ? null : result === 'pass'
    }
    this.#count()
    const host = target || domain
    if (name === 'mx') return this.#isIn(await this.#exchangesOf(host), mechanism)
    const addresses = await addressesOf(this.resolver, host)
    return name === 'exists' ? addresses.some((one) => isIP(one) === 4) : this.#isIn(addresses, mechanism)
  }

  async #exchangesOf(domain: string): Promise<string[]> {
    const exchanges = await mxOf(this.resolver, domain)
    if (exchanges.length > MAX_EXCHANGES) throw new SpfPermError(`${domain} has more than ${MAX_EXCHANGES} MX records`)
    const named = exchanges.filter(({ exchange }) => exchange !== '')
    return (await Promise.all(named.map(({ exchange }) => addressesOf(this.resolver, exchange)))).flat()
  }

  #isIn(addresses: readonly string[], { prefix4, prefix6 }: Mechanism): boolean {
    const networks = new BlockList()
    for (const address of addresses) {
      if (isIP(address) === 4) networks.addSubnet(address, prefix4, 'ipv4')
      else networks.addSubnet(address, prefix6, 'ipv6')
    }
    return networks.check(this.address, isIP(this.address) === 4 ? 'ipv4' : 'ipv6')
  }

  #count(): void {
    this.#lookups++
    if (this.#lookups > MAX_LOOKUPS) throw new SpfPermError(`it needs more than ${MAX_LOOKUPS} DNS lookups`)
  }
}
