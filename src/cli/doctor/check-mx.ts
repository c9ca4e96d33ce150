import { type Diagnosis, ok, problem, quote } from './diagnosis.js'
import { addressesOf, type DnsResolver, mxOf } from './dns.js'

/**
 * Whether bounces and answers can reach the From domain.
 * @throws DnsError
 */
export async function mxDiagnosis(resolver: DnsResolver, domain: string): Promise<Diagnosis> {
  const exchanges = (await mxOf(resolver, domain)).map(({ exchange }) => exchange.replace(/\.$/, ''))
  if (exchanges.length === 1 && exchanges[0] === '') {
    const cure = 'Send from a domain that takes mail, or replace the record "MX 0 ." by a server that does.'
    return problem(
      'error',
      'mx',
      `${domain} says that it takes no mail, so receivers refuse mail from it (RFC 7505).`,
      cure,
    )
  }
  if (exchanges.length > 0) return ok('mx', `Bounces to ${domain} go to ${quote(exchanges.join(', '))}.`)
  const cure = `Publish an MX record at ${domain}, or send from a domain that has one.`
  const addresses = await addressesOf(resolver, domain)
  const message =
    addresses.length > 0
      ? `${domain} has no MX record: bounces go to its web server, where they are probably lost.`
      : `${domain} has no MX record and no address: bounces cannot arrive, and many receivers refuse such senders.`
  return problem('warning', 'mx', message, cure)
}
