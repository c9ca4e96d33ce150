import { DEFAULT_BRAND } from '../config/brand.js'
import type { MailContext } from '../config/mail.js'
import type { PageContext } from '../config/page.js'
import type { Site } from '../config/settings.js'
import { deepFreeze } from '../deep-freeze.js'
import { textDirection } from './locales.js'

export type { MailContext } from '../config/mail.js'

const NO_SITE: Site = { name: '', origin: null, domain: null, supportUrl: null }

/** A page context with every member empty. All pages share it, and a host's `renderPage` gets them: nothing may be put in. */
export const basePageContext: PageContext = deepFreeze<PageContext>({
  page: 'problem',
  title: '',
  locale: 'en',
  dir: 'ltr',
  site: NO_SITE,
  brand: DEFAULT_BRAND,
  path: '',
  assetVersion: '',
  for: '',
  fields: [],
  autoSend: '',
  purpose: '',
  purposeText: '',
  recipient: { masked: '', typed: '', changeable: false },
  code: { label: '', length: 0, isLong: false, inputMode: 'text' },
  trustDays: '',
  expires: { in: '' },
  resend: { seconds: 0 },
  request: { tag: '' },
  delivery: '',
  deliveryText: '',
  error: '',
  returnTo: '',
  custom: {},
})

/** A code that large digits have no room for in one line on a small phone. */
export function isLongCode(code: string): boolean {
  return code.length > 10
}

/** The members that depend only on site and locale; the rest is empty. */
export function mailContextFor(site: Site, locale: string, brand = DEFAULT_BRAND): MailContext {
  const dir = textDirection(locale)
  const [start, end] = dir === 'ltr' ? (['left', 'right'] as const) : (['right', 'left'] as const)
  return {
    mail: 'code',
    locale,
    dir,
    start,
    end,
    site: siteInMails(site),
    brand,
    purpose: '',
    purposeText: '',
    recipient: { name: '', masked: '' },
    code: '',
    isLong: false,
    codeInSubject: false,
    expires: { minutes: 0, in: '', at: '', iso: '' },
    request: { tag: '', at: '' },
    boundLine: '',
    custom: {},
  }
}

/** A mail has no page to which a path could be relative: without an origin there is no link. */
function siteInMails(site: Site): Site {
  const { origin, supportUrl } = site
  if (!supportUrl?.startsWith('/')) return site
  return { ...site, supportUrl: origin === null ? null : origin + supportUrl }
}
