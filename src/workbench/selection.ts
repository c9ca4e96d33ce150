import { PAGE_STATES, type PageState } from '../http/sample-page.js'
import { samplePurposes } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { matchLocale } from '../views/locales.js'

/** What the developer looks at: a mail or a page, in a locale, with a sample. */
export interface Selection {
  readonly view:
    | { readonly kind: 'mail'; readonly name: string }
    | { readonly kind: 'page'; readonly name: PageState }
  readonly locale: string
  readonly sample: string
  /** Id of the values that were typed, or empty. */
  readonly values: string
}

/** All mails and pages. */
export function allViews({ views }: Services): Selection['view'][] {
  return [
    ...samplePurposes(views).map((name) => ({ kind: 'mail', name }) as const),
    ...(Object.keys(PAGE_STATES) as PageState[]).map((name) => ({ kind: 'page', name }) as const),
  ]
}

export function viewId({ kind, name }: Selection['view']): string {
  return `${kind}/${name}`
}

/** Reads query or form; what is missing or unknown gets its default. */
export function readSelection(services: Services, values: unknown): Selection {
  const given = (values ?? {}) as Record<string, unknown>
  const textOf = (name: string): string => (typeof given[name] === 'string' ? given[name] : '')
  const { settings, views } = services
  const [first] = allViews(services)
  const view = allViews(services).find((one) => viewId(one) === textOf('view')) ?? first
  if (!view) throw new Error('there are no views')
  return {
    view,
    locale: matchLocale(views.locales, textOf('locale')) ?? matchLocale(views.locales, settings.locale) ?? 'en',
    sample: views.samples.find(({ name }) => name === textOf('sample'))?.name ?? 'typical',
    values: /^[\w-]{1,64}$/.test(textOf('values')) ? textOf('values') : '',
  }
}

export function queryOf({ view, locale, sample, values }: Selection): string {
  const query = new URLSearchParams({ view: viewId(view), locale, sample, ...(values && { values }) })
  return `?${query.toString()}`
}
