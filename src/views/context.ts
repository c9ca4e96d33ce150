import type { Site } from '../config/settings.js'
import { textDirection } from './messages.js'

/** The pages, by the name of their file in `views/pages`. */
export const PAGES = ['email', 'send', 'code', 'verified', 'continue', 'problem'] as const
export type PageName = (typeof PAGES)[number]

/** What every page template may use. Minor versions only add members; major ones may remove some. */
export interface PageContext {
  readonly page: PageName
  readonly title: string
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  readonly site: Site
  /** Where the router is mounted. */
  readonly path: string
  /** For the URLs of assets, `?v=…`: changes as soon as any of them does. */
  readonly assetVersion: string
  /** The sealed step-up, for the hidden field `for` of each form; empty when no guard redirected here. */
  readonly for: string
  /** The further hidden fields of each form, from the host's `formFields`. */
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  /** Identifies the step-up for the page's script if it may submit the "send" form by itself; else empty. */
  readonly autoSend: string
  readonly purpose: string
  /** The action in words; empty for plain access. */
  readonly purposeText: string
  /** `typed`: the rejected input, to be corrected. `changeable`: whether another address may be typed. */
  readonly recipient: { readonly masked: string; readonly typed: string; readonly changeable: boolean }
  readonly code: {
    readonly label: string
    readonly length: number
    readonly isLong: boolean
    readonly inputMode: 'numeric' | 'text'
  }
  /** Such as "30 days" if this browser may be trusted for so long (field `trust`, value `yes`); else empty. */
  readonly trustDays: string
  readonly expires: { readonly in: string }
  readonly resend: { readonly seconds: number }
  readonly request: { readonly tag: string }
  /** Delivery status of the mail (`sent`, `queued`, `failed`, or empty), and the same in words. */
  readonly delivery: string
  readonly deliveryText: string
  /** What went wrong, in words for the reader; else empty. */
  readonly error: string
  /** Target of the links "continue" and "try again". */
  readonly returnTo: string
  /** What the host's `locals` returned. */
  readonly custom: Readonly<Record<string, unknown>>
}

/** What every mail template may use. */
export interface MailContext {
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** Physical sides for `dir`: mail clients do not support logical ones. */
  readonly start: 'left' | 'right'
  readonly end: 'left' | 'right'
  readonly site: Site
  readonly purpose: string
  readonly purposeText: string
  readonly recipient: { readonly masked: string }
  readonly code: string
  readonly codeInSubject: boolean
  /** `in` as "10 minutes", `at` as "14:32 UTC", `iso` as RFC 3339. */
  readonly expires: { readonly minutes: number; readonly in: string; readonly at: string; readonly iso: string }
  readonly request: { readonly tag: string; readonly at: string }
  /** `@domain #code`, the last line of the text; empty without `site.origin`. */
  readonly boundLine: string
  readonly custom: Readonly<Record<string, unknown>>
}

const NO_SITE: Site = { name: '', origin: null, domain: null, supportUrl: null }

/** A page context with every member empty. */
export const basePageContext: PageContext = Object.freeze<PageContext>({
  page: 'problem',
  title: '',
  locale: 'en',
  dir: 'ltr',
  site: NO_SITE,
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
export function mailContextFor(site: Site, locale: string): MailContext {
  const dir = textDirection(locale)
  const [start, end] = dir === 'ltr' ? (['left', 'right'] as const) : (['right', 'left'] as const)
  return {
    locale,
    dir,
    start,
    end,
    site,
    purpose: '',
    purposeText: '',
    recipient: { masked: '' },
    code: '',
    codeInSubject: false,
    expires: { minutes: 0, in: '', at: '', iso: '' },
    request: { tag: '', at: '' },
    boundLine: '',
    custom: {},
  }
}

/** The variables that templates may name, checked at start. The layouts get a few more. Any name under `custom` is allowed. */
export const VARIABLES: Readonly<Record<'page' | 'mail', readonly string[]>> = {
  page: [...pathsOf(basePageContext), 'body'],
  mail: [...pathsOf(mailContextFor(NO_SITE, 'en')), 'subject', 'preheader', 'body'],
}

/** `site`, `site.name`, …: the paths of all members, nested ones included. */
function pathsOf(context: object, prefix = ''): string[] {
  return Object.entries(context).flatMap(([name, value]: [string, unknown]) => {
    const path = prefix + name
    return typeof value === 'object' && value !== null ? [path, ...pathsOf(value, `${path}.`)] : [path]
  })
}
