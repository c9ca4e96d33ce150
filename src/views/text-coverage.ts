import { BUILT_IN, listViews } from './files.js'
import { loadTexts } from './load-messages.js'
import { lookupOrder } from './locales.js'

/** How many of all texts a language has; the others are shown in the default language, or in English. */
export interface TextCoverage {
  readonly locale: string
  readonly texts: number
  readonly missing: readonly string[]
}

/** The texts of each language without those that come from others, of the host's folders and of the package. */
export function textsByLocale(hostFolders: readonly string[]): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const ignore = (): void => undefined
  const folders = [...hostFolders, BUILT_IN].map((folder) => loadTexts(listViews(folder, null, ignore), [], ignore))
  const locales = [...new Set(folders.flatMap((folder) => [...folder.keys()]))].sort()
  const textsOf = (locale: string): Record<string, string> => {
    const nearestFirst = folders.flatMap((folder) => lookupOrder(locale).map((tag) => folder.get(tag)))
    return Object.assign({}, ...nearestFirst.reverse()) as Record<string, string>
  }
  return new Map(locales.map((locale) => [locale, textsOf(locale)]))
}

/** Of the package's texts and those of the host's folders. A plural counts as one text. */
export function textCoverage(hostFolders: readonly string[]): TextCoverage[] {
  const keysByLocale = [...textsByLocale(hostFolders)].map(([locale, texts]) => [locale, keysOf(texts)] as const)
  const all = new Set(keysByLocale.flatMap(([, keys]) => [...keys]))
  return keysByLocale.map(([locale, keys]) => {
    return { locale, texts: keys.size, missing: [...all].filter((key) => !keys.has(key)) }
  })
}

function keysOf(texts: Readonly<Record<string, string>>): ReadonlySet<string> {
  const base = (key: string): string => key.replace(/_(zero|one|two|few|many|other)$/, '')
  return new Set(Object.keys(texts).map((key) => (`${base(key)}_other` in texts ? base(key) : key)))
}
