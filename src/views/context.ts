import type { Settings, Site } from '../config/settings.js'
import { textDirection } from './messages.js'

/** The pages, by the name of their file in `views/pages`. */
export type PageName = 'email' | 'send' | 'code' | 'verified' | 'problem'

/** What every page template may use. Added to in minor versions, taken from only in major ones. */
export interface PageContext {
  readonly page: PageName
  readonly title: string
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  readonly site: Site
  /** Where the router is mounted. */
  readonly path: string
  /** The sealed step-up, for the hidden field `for` of each form; empty when no guard led here. */
  readonly for: string
  /** Names the step-up to the page's script when it may press "send"; else empty. */
  readonly autoSend: string
  readonly purpose: string
  /** The action in words; empty for plain access. */
  readonly purposeText: string
  /** `typed` is what was just typed and not understood; `changeable` when another address may be typed. */
  readonly recipient: { readonly masked: string; readonly typed: string; readonly changeable: boolean }
  readonly code: {
    readonly label: string
    readonly length: number
    readonly isLong: boolean
    readonly inputMode: 'numeric' | 'text'
  }
  readonly expires: { readonly in: string }
  readonly resend: { readonly seconds: number }
  readonly request: { readonly tag: string }
  /** What became of the mail: `sent`, `queued`, `failed`, or empty; and the same in words. */
  readonly delivery: string
  readonly deliveryText: string
  /** What went wrong, in words for the person; else empty. */
  readonly error: string
  /** Where "continue" and "try again" lead. */
  readonly returnTo: string
  /** What the host's `locals` gave. */
  readonly custom: Readonly<Record<string, unknown>>
}

/** What every mail template may use. */
export interface MailContext {
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** Physical sides for `dir`: mail programs know no logical ones. */
  readonly start: 'left' | 'right'
  readonly end: 'left' | 'right'
  readonly site: Site
  readonly purpose: string
  readonly purposeText: string
  readonly recipient: { readonly masked: string }
  readonly code: string
  readonly codeInSubject: boolean
  /** `in` as "10 minutes", `at` as "14:32 UTC", `iso` as RFC 3339. */
  readonly expires: {
    readonly minutes: number
    readonly in: string
    readonly at: string
    readonly iso: string
  }
  readonly request: { readonly tag: string; readonly at: string }
  /** `@domain #code`, the last line of the text; empty without `site.origin`. */
  readonly boundLine: string
  readonly custom: Readonly<Record<string, unknown>>
}

/** What every mail has, before it says anything. */
export function baseMailContext(settings: Settings, locale: string): MailContext {
  const dir = textDirection(locale)
  return {
    locale,
    dir,
    start: dir === 'ltr' ? 'left' : 'right',
    end: dir === 'ltr' ? 'right' : 'left',
    site: settings.site,
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

const names = (text: string): readonly string[] => text.split(' ')

/** The names of the above, for the check of templates at start; `custom` may hold anything. */
export const VARIABLES: Readonly<Record<'page' | 'mail', readonly string[]>> = {
  page: names(
    'page title locale dir site site.name site.origin site.domain site.supportUrl path for autoSend purpose ' +
      'purposeText recipient recipient.masked recipient.typed recipient.changeable code code.label code.length ' +
      'code.isLong code.inputMode expires expires.in resend resend.seconds request request.tag delivery ' +
      'deliveryText error returnTo custom body',
  ),
  mail: names(
    'locale dir start end site site.name site.origin site.domain site.supportUrl purpose purposeText recipient ' +
      'recipient.masked code codeInSubject expires expires.minutes expires.in expires.at expires.iso request ' +
      'request.tag request.at boundLine subject preheader custom body',
  ),
}
