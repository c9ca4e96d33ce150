import { type Diagnosis, ok, problem } from './diagnosis.js'
import { type DnsResolver, textsOf } from './dns.js'
import type { SendingProvider } from './sending-providers.js'

/**
 * The public key that signatures of the domain are checked with. The DNS has it below a name that only the signing server
 * knows, the selector.
 * @throws DnsError
 */
export async function dkimDiagnosis(
  resolver: DnsResolver,
  domain: string,
  selector: string | null,
  provider: SendingProvider | null,
): Promise<Diagnosis> {
  if (selector === null) return notTold(domain, provider)
  const name = `${selector}._domainkey.${domain}`
  const key = (await textsOf(resolver, name)).find((text) => /(^|;)\s*p\s*=/.test(text))
  if (key === undefined) {
    const cure = 'Publish the record that your mail provider shows, or correct the selector (s= in the DKIM-Signature).'
    return problem('error', 'dkim', `There is no DKIM key at ${name}.`, cure)
  }
  if (/(^|;)\s*p\s*=\s*(;|$)/.test(key)) {
    const cure = 'Make a new key where your mail is signed, and publish it (RFC 6376 3.6.1).'
    return problem('error', 'dkim', `The DKIM key at ${name} is revoked: p= is empty.`, cure)
  }
  return ok('dkim', `${name} has a DKIM key. Whether mails are signed with it, only a mail shows.`)
}

function notTold(domain: string, provider: SendingProvider | null): Diagnosis {
  const message = provider?.hasOwnEnvelope
    ? `Not told without a selector. DMARC rests on DKIM here: SPF passes for a domain that ${provider.name} uses.`
    : 'Not told: keys stand in the DNS below a selector, and only the signing server knows it.'
  const cure =
    'Name the selector with --dkim-selector, or send a code to a mailbox of another provider: Authentication-Results ' +
    `must say dkim=pass with header.d=${domain}.`
  return problem('unknown', 'dkim', message, cure)
}
