import { PAGES, type PageContext, type Site } from '../config/page.js'
import { basePageContext, type MailContext, mailContextFor } from './context.js'
import { duration } from './formats.js'
import { textDirection } from './locales.js'

/** What a page or mail is tried with. */
export interface Sample {
  readonly site: Site
  readonly masked: string
  readonly text: string
  readonly code: string
}

/** A value with HTML, which must not reach a page or mail as such. */
export const HOSTILE_TAG = '<b>otp-sample</b>'

const SITE: Site = { name: 'Acme', origin: 'https://acme.example', domain: 'acme.example', supportUrl: '/help' }
const LONG_WORD = 'Donaudampfschifffahrtsgesellschaft'.repeat(4)

/** The values that pages and mails differ in: plain ones, none, long ones, and those that break what does not escape. */
export const SAMPLES: readonly Sample[] = [
  { site: SITE, masked: 'a•••@example.com', text: 'Send 50.00 EUR to Ana', code: '482915' },
  { site: { ...SITE, origin: null, domain: null, supportUrl: null }, masked: 'a•••@b.c', text: '', code: '7301' },
  { site: { ...SITE, name: LONG_WORD }, masked: `${LONG_WORD}@example.com`, text: LONG_WORD, code: 'K7QF3-M2X9T-RWB' },
  {
    site: { ...SITE, name: `${HOSTILE_TAG} & "Söhne" 'שלום'` },
    masked: `${HOSTILE_TAG}&"'@example.com`,
    text: `${HOSTILE_TAG} & "{{code}}" {site} 'مرحبا'`,
    code: '904417',
  },
]

/** Each page in its states: with and without an error, with a short and a long code. */
export function samplePages({ site, masked, text, code }: Sample, locale: string, custom: object): PageContext[] {
  const base: PageContext = {
    ...basePageContext,
    locale,
    dir: textDirection(locale),
    site,
    path: '/2fa',
    assetVersion: 'v',
    for: text && 'sealed',
    fields: text ? [{ name: '_csrf', value: text }] : [],
    autoSend: text && 'sealed',
    purpose: 'access',
    purposeText: text,
    recipient: { masked, typed: text, changeable: text !== '' },
    code: { label: `Code ${text}`, length: code.length, isLong: code.includes('-'), inputMode: 'numeric' },
    trustDays: text && '30 d',
    expires: { in: duration(locale, 600) },
    resend: { seconds: text ? 30 : 0 },
    request: { tag: 'KQF' },
    delivery: 'sent',
    deliveryText: text,
    returnTo: text && '/account',
    title: `Title ${text}`,
    custom: custom as PageContext['custom'],
  }
  return PAGES.flatMap((page) => ['', `Wrong ${text}`].map((error) => ({ ...base, page, error })))
}

/** A mail for a purpose, with the code in its subject and without; the alert has no code. */
export function sampleMails({ site, masked, text, code }: Sample, locale: string, purpose: string): MailContext[] {
  const base: MailContext = {
    ...mailContextFor(site, locale),
    recipient: { name: '', masked },
    request: { tag: '', at: '14:22 UTC' },
  }
  if (purpose === 'alert') return [base]
  const withCode: MailContext = {
    ...base,
    purpose,
    purposeText: text,
    code,
    isLong: code.includes('-'),
    expires: { minutes: 10, in: duration(locale, 600), at: '14:32 UTC', iso: '2030-01-01T14:32:00.000Z' },
    request: { tag: 'KQF', at: '14:22 UTC' },
    boundLine: site.domain ? `@${site.domain} #${code}` : '',
  }
  return [true, false].map((codeInSubject) => ({ ...withCode, codeInSubject }))
}
