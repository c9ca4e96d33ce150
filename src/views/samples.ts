import { type Brand, DEFAULT_BRAND } from '../config/brand.js'
import { PAGES, type PageContext, type Site } from '../config/page.js'
import { basePageContext, isLongCode, type MailContext, mailContextFor } from './context.js'
import { deepMerge } from './deep-merge.js'
import { duration, timeOfDay } from './formats.js'
import { textDirection } from './locales.js'

/** What a page or mail is tried with. */
export interface Sample {
  readonly name: string
  readonly site: Site
  readonly recipient: { readonly name: string; readonly masked: string }
  /** The action in words. */
  readonly purposeText: string
  readonly code: string
  /** From the host's own samples. */
  readonly custom: Readonly<Record<string, unknown>>
}

/** A file of the host's in `samples/`. */
export interface HostSample {
  readonly name: string
  readonly values: Partial<Pick<Sample, 'purposeText' | 'code' | 'custom'>> & {
    recipient?: Partial<Sample['recipient']>
  }
}

/** A value with HTML, which must not reach a page or mail as such. */
export const HOSTILE_TAG = '<b>otp-sample</b>'

const SITE: Site = { name: 'Acme', origin: 'https://acme.example', domain: 'acme.example', supportUrl: '/help' }
const LONG_WORD = 'Donaudampfschifffahrtsgesellschaft'.repeat(4)
const TYPICAL: Sample = {
  name: 'typical',
  site: SITE,
  recipient: { name: 'Ana', masked: 'a•••@example.com' },
  purposeText: 'Send 50.00 EUR to Ana',
  code: '482915',
  custom: {},
}

/** The values that pages and mails differ in: plain ones, none, long ones, and those that break what does not escape. */
export const SAMPLES: readonly Sample[] = [
  TYPICAL,
  {
    ...TYPICAL,
    name: 'minimal',
    site: { ...SITE, origin: null, domain: null, supportUrl: null },
    recipient: { name: '', masked: 'a•••@b.c' },
    purposeText: '',
    code: '730164',
  },
  {
    ...TYPICAL,
    name: 'long',
    site: { ...SITE, name: LONG_WORD },
    recipient: { name: LONG_WORD, masked: `${LONG_WORD}@example.com` },
    purposeText: LONG_WORD,
    code: 'K7QF3-M2X9-TRWB',
  },
  {
    ...TYPICAL,
    name: 'hostile',
    site: { ...SITE, name: `${HOSTILE_TAG} & "Söhne" 'שלום'` },
    recipient: { name: `${HOSTILE_TAG} مرحبا`, masked: `${HOSTILE_TAG}&"'@example.com` },
    purposeText: `${HOSTILE_TAG} & "{{code}}" {site} 'مرحبا'`,
    code: '904417',
  },
]

/**
 * Our samples and those of the host. What its files say of `custom` holds for all; a file with the name of one of ours changes
 * that one.
 */
export function samplesWith(hostSamples: readonly HostSample[]): readonly Sample[] {
  const custom = hostSamples.reduce((merged, { values }) => deepMerge(merged, values.custom ?? {}), {})
  const sampleOf = (base: Sample, host?: HostSample): Sample =>
    deepMerge({ ...base, name: host?.name ?? base.name, custom }, { ...host?.values })
  const ours = SAMPLES.map((sample) =>
    sampleOf(
      sample,
      hostSamples.find(({ name }) => name === sample.name),
    ),
  )
  const others = hostSamples.filter(({ name }) => !SAMPLES.some((sample) => sample.name === name))
  return [...ours, ...others.map((host) => sampleOf(ours[0] ?? TYPICAL, host))]
}

/** Each page in its states: with and without an error, with a short and a long code. */
export function samplePages(sample: Sample, locale: string, custom: PageContext['custom']): PageContext[] {
  const { site, recipient, purposeText: text, code } = sample
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
    recipient: { masked: recipient.masked, typed: text, changeable: text !== '' },
    code: { label: `Code ${text}`, length: code.length, isLong: code.includes('-'), inputMode: 'numeric' },
    trustDays: text && '30 d',
    expires: { in: duration(locale, 600) },
    resend: { seconds: text ? 30 : 0 },
    request: { tag: 'KQF' },
    delivery: 'sent',
    deliveryText: text,
    returnTo: text && '/account',
    title: `Title ${text}`,
    custom,
  }
  return PAGES.flatMap((page) => ['', `Wrong ${text}`].map((error) => ({ ...base, page, error })))
}

/** Which mail a sample stands in. Site and brand are those of the sample, unless the host is known. */
export interface SampleMailOptions {
  readonly locale: string
  readonly purpose: string
  readonly codeInSubject: boolean
  readonly custom: MailContext['custom']
  readonly site?: Site
  readonly brand?: Brand
}

const MAILED_AT = Date.UTC(2030, 0, 1, 14, 22)
const LIFETIME = 600

/** A mail for a purpose. The alert has no code. */
export function sampleMail(sample: Sample, options: SampleMailOptions): MailContext {
  const { locale, purpose, codeInSubject, custom, site = sample.site, brand = DEFAULT_BRAND } = options
  const { recipient, purposeText, code } = sample
  const base: MailContext = {
    ...mailContextFor(site, locale, brand),
    recipient,
    request: { tag: '', at: timeOfDay(locale, MAILED_AT) },
    custom,
  }
  if (purpose === 'alert') return { ...base, mail: 'alert' }
  const expiresAt = MAILED_AT + LIFETIME * 1000
  return {
    ...base,
    purpose: purpose === 'code' ? 'access' : purpose,
    purposeText,
    code,
    isLong: isLongCode(code),
    codeInSubject,
    expires: {
      minutes: LIFETIME / 60,
      in: duration(locale, LIFETIME),
      at: timeOfDay(locale, expiresAt),
      iso: new Date(expiresAt).toISOString(),
    },
    request: { ...base.request, tag: 'KQF' },
    boundLine: site.domain ? `@${site.domain} #${code.replaceAll('-', '')}` : '',
  }
}
