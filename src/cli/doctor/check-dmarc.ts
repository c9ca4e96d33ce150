import { type Diagnosis, ok, problem, quote } from './diagnosis.js'
import { type DnsResolver, textsOf } from './dns.js'

type Tags = ReadonlyMap<string, string>

interface Found {
  readonly domain: string
  readonly records: readonly Tags[]
}

/** Queries for one mail (the tree walk of RFC 9989, which needs no list of public suffixes). */
const MAX_PARENTS = 7

/**
 * The DMARC policy of a domain: that of its own record, else that of its organisation.
 * @throws DnsError
 */
export async function dmarcDiagnosis(resolver: DnsResolver, domain: string): Promise<Diagnosis> {
  const [own, ...parents] = await Promise.all([domain, ...parentsOf(domain)].map((name) => recordsAt(resolver, name)))
  const found = own && own.records.length > 0 ? own : organisationOf(parents)
  if (!found) return missing(domain)
  const [tags, ...others] = found.records
  if (!tags || others.length > 0) return several(found)
  const policy = (found !== own ? tags.get('sp') : undefined) ?? tags.get('p') ?? ''
  return ofPolicy(found.domain, policy.toLowerCase())
}

/** Domains above it, down to two labels. */
function parentsOf(domain: string): string[] {
  const labels = domain.split('.')
  const parents = labels.slice(1, -1).map((_label, i) => labels.slice(i + 1).join('.'))
  return parents.slice(-MAX_PARENTS)
}

async function recordsAt(resolver: DnsResolver, domain: string): Promise<Found> {
  const texts = await textsOf(resolver, `_dmarc.${domain}`)
  return { domain, records: texts.filter((text) => /^v\s*=\s*DMARC1\s*(;|$)/.test(text)).map(tagsOf) }
}

/** The highest domain with a record, unless `psd` says that it is nobody's or that it is the one. */
function organisationOf(parents: readonly Found[]): Found | undefined {
  const withRecord = parents.filter(({ records }) => records.length > 0 && records[0]?.get('psd') !== 'y')
  return withRecord.find(({ records }) => records[0]?.get('psd') === 'n') ?? withRecord.at(-1)
}

function tagsOf(record: string): Tags {
  const pairs = record.split(';').map((tag) => tag.split('=').map((part) => part.trim()))
  return new Map(pairs.map(([name = '', value = '']) => [name.toLowerCase(), value]))
}

function missing(domain: string): Diagnosis {
  const cure = `Publish a TXT record at _dmarc.${domain}, to begin with: "v=DMARC1; p=none; rua=mailto:dmarc@${domain}".`
  return problem('warning', 'dmarc', `${domain} has no DMARC record. Gmail, Yahoo and Outlook ask for one.`, cure)
}

function several({ domain, records }: Found): Diagnosis {
  const message = `_dmarc.${domain} has ${records.length} DMARC records: receivers ignore them all (RFC 7489 6.6.3).`
  return problem('error', 'dmarc', message, 'Remove all but one.')
}

function ofPolicy(domain: string, policy: string): Diagnosis {
  if (policy === 'none') return ok('dmarc', `${domain} has p=none: receivers report and do no more.`)
  if (policy === 'quarantine' || policy === 'reject') {
    const handling = policy === 'reject' ? 'refused' : 'put into spam'
    return ok(
      'dmarc',
      `${domain} has p=${policy}: mail that neither SPF nor DKIM of this domain proves is ${handling}.`,
    )
  }
  const cure = 'Write p=none, p=quarantine or p=reject as the first tag after v=DMARC1.'
  return problem('warning', 'dmarc', `The DMARC record of ${domain} has no valid policy (${quote(policy)}).`, cure)
}
