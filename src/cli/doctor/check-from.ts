import { type Diagnosis, ok, problem } from './diagnosis.js'
import type { Site } from '../../config/page.js'
import { isForeignSender } from '../../config/site.js'

/** Domains that belong to nobody or to one network (RFC 2606, 6761, 6762, 8375). */
const RESERVED = /(^|\.)(example(\.(com|net|org))?|test|invalid|localhost|local|internal|home\.arpa)$/

export function isReserved(domain: string): boolean {
  return RESERVED.test(domain)
}

/** The domain of `mail.from`, by itself and beside that of the site. */
export function fromDiagnosis(domain: string, site: Site): Diagnosis {
  if (isReserved(domain)) {
    const cure = 'Set `mail.from` to an address of a domain that is yours.'
    return problem(
      'error',
      'from',
      `${domain} is reserved for examples and networks: no server takes mail from it.`,
      cure,
    )
  }
  if (isForeignSender(site, domain)) {
    const cure = 'Send from the domain of the site or one below it.'
    const message = `Mails come from ${domain}, and the site is ${site.origin ?? ''}: people take that for phishing.`
    return problem('warning', 'from', message, cure)
  }
  if (site.origin === null) {
    const cure = 'Set `site.origin`, such as https://acme.example.'
    return problem('warning', 'from', `Mails come from ${domain}, and do not say for which site they are.`, cure)
  }
  return ok('from', `Mails come from ${domain}, and the site is ${site.origin}.`)
}
