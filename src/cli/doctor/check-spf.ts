import { BlockList, isIP } from 'node:net'
import { type Diagnosis, ok, problem, quote } from './diagnosis.js'
import { addressesOf, type DnsResolver } from './dns.js'
import { providerOf, type SendingProvider } from './sending-providers.js'
import { evaluateSpf, type SpfFinding } from './spf.js'

/** An address that evaluates the record of a domain when there is no server to ask about (RFC 5737). */
const NOBODY = '192.0.2.1'

/**
 * Whether the SPF record of the From domain allows the mail server. A relay may send from other addresses than the one that
 * takes the mail, so a mismatch is a contradiction only where the record of a known provider is missing.
 * @param host the mail server, or null if it is not known
 * @throws DnsError
 */
export async function spfDiagnosis(resolver: DnsResolver, domain: string, host: string | null): Promise<Diagnosis> {
  const provider = host === null ? null : providerOf(host)
  const addresses = host === null ? [] : await publicAddressesOf(resolver, host)
  const findings = await Promise.all(
    (addresses.length > 0 ? addresses : [NOBODY]).map((address) => evaluateSpf(resolver, domain, address)),
  )
  const [first] = findings
  const broken = findings.find(({ result }) => result === 'permerror')
  if (broken) return invalid(domain, broken.reason)
  if (first?.result === 'none') return missing(domain, provider, addresses)
  if (provider) return ofProvider(domain, provider, findings)
  if (host === null || addresses.length === 0) return notTold(domain, host)
  const refused = addresses.find((_address, i) => findings[i]?.result !== 'pass')
  if (refused === undefined) return ok('spf', `The SPF record of ${domain} allows ${host} (${addresses.join(', ')}).`)
  const { result } = findings[addresses.indexOf(refused)] ?? { result: 'unknown' }
  return notAllowed(domain, host, refused, result)
}

function invalid(domain: string, reason: string): Diagnosis {
  const cure = 'Publish exactly one TXT record that begins with v=spf1, and needs 10 lookups at most.'
  return problem('error', 'spf', `Receivers ignore the SPF record of ${domain} (permerror): ${quote(reason)}.`, cure)
}

function missing(domain: string, provider: SendingProvider | null, addresses: readonly string[]): Diagnosis {
  if (provider?.hasOwnEnvelope) return ownEnvelope(domain, provider)
  const allowed = provider
    ? `include:${provider.include}`
    : addresses.map((address) => `ip${isIP(address)}:${address}`).join(' ') || 'ip4:<public address of the server>'
  const cure = `Publish a TXT record at ${domain}, with all servers that send for it: "v=spf1 ${allowed} ~all".`
  return problem('error', 'spf', `${domain} has no SPF record: receivers cannot tell your mail from forged mail.`, cure)
}

function ofProvider(domain: string, provider: SendingProvider, findings: readonly SpfFinding[]): Diagnosis {
  const { name, include, hasOwnEnvelope } = provider
  if (findings.every(({ result, includes }) => result === 'pass' || includes.has(include))) {
    return ok('spf', `The SPF record of ${domain} allows ${name}.`)
  }
  if (hasOwnEnvelope) return ownEnvelope(domain, provider)
  const cure = `Add include:${include} to the SPF record of ${domain}, in front of "all".`
  return problem(
    'error',
    'spf',
    `The SPF record of ${domain} contradicts the server in use: ${name} is not in it.`,
    cure,
  )
}

function ownEnvelope(domain: string, { name }: SendingProvider): Diagnosis {
  return ok('spf', `${name} sends with a bounce domain that is set up there, so the SPF of ${domain} is not asked.`)
}

function notTold(domain: string, host: string | null): Diagnosis {
  const server = host === null ? 'your transport' : `${host}, which has no public address,`
  const cure =
    'Send a code to a mailbox of another provider, and read spf= in the header Authentication-Results of the mail.'
  return problem('unknown', 'spf', `${domain} has an SPF record. Whether it allows ${server} cannot be told.`, cure)
}

function notAllowed(domain: string, host: string, address: string, result: SpfFinding['result']): Diagnosis {
  const message =
    result === 'unknown'
      ? `Whether the SPF record of ${domain} allows ${host} (${address}) cannot be told: it has macros or ptr.`
      : `The SPF record of ${domain} does not name ${host} (${address}: ${result}), unless it sends from other addresses.`
  const cure = `Add what your mail provider names for its outgoing servers, or ip${isIP(address)}:${address}.`
  return problem(result === 'unknown' ? 'unknown' : 'warning', 'spf', message, cure)
}

/** Addresses that no receiver ever sees (RFC 1918, 4193, 6598, 6890). */
const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
  ] as const),
  ...([
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const),
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6')
}

async function publicAddressesOf(resolver: DnsResolver, host: string): Promise<string[]> {
  const addresses = isIP(host) > 0 ? [host] : await addressesOf(resolver, host)
  return addresses.filter((address) => !PRIVATE.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'))
}
