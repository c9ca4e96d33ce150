import { matchLocale } from '../views/locales.js'
import { type Catalogue, type View, viewId } from './catalogue.js'

/** What the developer looks at: a mail or a page, in a locale, with a sample. */
export interface Selection {
  readonly view: View
  readonly locale: string
  readonly sample: string
  /** Id of the values that were typed, or empty. */
  readonly values: string
}

/** Reads query or form; what is missing or unknown gets its default. */
export function readSelection(
  { views, locales, samples }: Catalogue,
  defaultLocale: string,
  values: unknown,
): Selection {
  const given = (values ?? {}) as Record<string, unknown>
  const textOf = (name: string): string => (typeof given[name] === 'string' ? given[name] : '')
  const [first] = views
  const view = views.find((one) => viewId(one) === textOf('view')) ?? first
  if (!view) throw new Error('there are no views')
  return {
    view,
    locale: matchLocale(locales, textOf('locale')) ?? matchLocale(locales, defaultLocale) ?? 'en',
    sample: samples.find((name) => name === textOf('sample')) ?? 'typical',
    values: /^[\w-]{1,64}$/.test(textOf('values')) ? textOf('values') : '',
  }
}

export function queryOf({ view, locale, sample, values }: Selection): string {
  const query = new URLSearchParams({ view: viewId(view), locale, sample, ...(values && { values }) })
  return `?${query.toString()}`
}
