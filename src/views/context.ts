import { type Brand, DEFAULT_BRAND } from '../config/brand.js'
import type { PageContext } from '../config/page.js'
import type { Site } from '../config/settings.js'
import { deepFreeze } from '../deep-freeze.js'
import { textDirection } from './locales.js'

/** What every mail template may use. */
export interface MailContext {
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** Physical sides for `dir`: mail clients do not support logical ones. */
  readonly start: 'left' | 'right'
  readonly end: 'left' | 'right'
  readonly site: Site
  readonly brand: Brand
  readonly purpose: string
  readonly purposeText: string
  /** `name`: as the host's user has it, for templates of the host's; ours do not use it. */
  readonly recipient: { readonly name: string; readonly masked: string }
  readonly code: string
  /** Whether it is the 13-character code. */
  readonly isLong: boolean
  readonly codeInSubject: boolean
  /** `in` as "10 minutes", `at` as "14:32 UTC", `iso` as RFC 3339. */
  readonly expires: { readonly minutes: number; readonly in: string; readonly at: string; readonly iso: string }
  readonly request: { readonly tag: string; readonly at: string }
  /** `@domain #code`, the last line of the text; empty without `site.origin`. */
  readonly boundLine: string
  readonly custom: Readonly<Record<string, unknown>>
}

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

/** The members that depend only on site and locale; the rest is empty. */
export function mailContextFor(site: Site, locale: string, brand = DEFAULT_BRAND): MailContext {
  const dir = textDirection(locale)
  const [start, end] = dir === 'ltr' ? (['left', 'right'] as const) : (['right', 'left'] as const)
  return {
    locale,
    dir,
    start,
    end,
    site,
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
