import { didYouMean } from '../suggest.js'

const PERSON = ['name', 'user.name', 'first_name', 'firstname', 'last_name', 'username', 'user', 'customer_name']
/** What other products and mail services call our variables. */
const FOREIGN_NAMES: Readonly<Record<string, readonly string[]>> = {
  code: ['otp', 'token', 'pin', 'passcode', 'otp_code', 'verification_code', 'auth_code', 'one_time_code'],
  'site.name': ['product_name', 'app_name', 'site_name', 'company', 'company_name', 'brand', 'brand_name', 'app'],
  'site.supportUrl': ['support_url', 'support_email', 'support', 'help_url'],
  'site.origin': ['product_url', 'site_url', 'base_url', 'url', 'action_url', 'link'],
  'recipient.masked': ['email', 'email_address', 'user.email', 'to', 'address', 'recipient_email', 'user_email'],
  'recipient.name': PERSON,
  'expires.in': ['expiry', 'expires_in', 'expiration', 'valid_for', 'ttl', 'expiry_minutes', 'expires_at'],
  locale: ['lang', 'language'],
  preheader: ['preview', 'preview_text'],
  purposeText: ['action', 'operation', 'reason'],
}

/** The cure for an unknown variable: the name that it has here, else the nearest one. */
export function cureForVariable(name: string, known: readonly string[]): string {
  const lower = name.toLowerCase()
  const snake = name.replace(/[a-z](?=[A-Z])/g, '$&_').toLowerCase()
  const isKnown = (one: string): boolean => known.includes(one) && !known.some((path) => path.startsWith(`${one}.`))
  const ours = Object.keys(FOREIGN_NAMES).find((one) => FOREIGN_NAMES[one]?.some((it) => [lower, snake].includes(it)))
  if (ours && isKnown(ours)) return `Here it is named "${ours}".`
  if (PERSON.includes(lower) || PERSON.includes(snake)) {
    return 'No name of the person is known. Use "recipient.masked" for the address, "site.name" for the site.'
  }
  return didYouMean(name, known).trim() || 'docs/template-reference.md lists all variables.'
}
