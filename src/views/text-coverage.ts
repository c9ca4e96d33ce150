import { BUILT_IN, listViews } from './files.js'
import { type FolderTexts, loadTexts } from './load-messages.js'
import { lookupOrder } from './locales.js'

/** How many of all texts a language has; the others are shown in the default language, or in English. */
export interface TextCoverage {
  readonly locale: string
  readonly texts: number
  readonly missing: readonly string[]
}

/** Of the package's texts and those of the host's folders. A plural counts as one text. */
export function textCoverage(hostFolders: readonly string[]): TextCoverage[] {
  const ignore = (): void => undefined
  const folders = [...hostFolders, BUILT_IN].map((folder) => loadTexts(listViews(folder, null, ignore), [], ignore))
  const locales = [...new Set(folders.flatMap((folder) => [...folder.keys()]))].sort()
  const all = new Set(locales.flatMap((locale) => keysOf(folders, [locale])))
  return locales.map((locale) => {
    const own = new Set(keysOf(folders, lookupOrder(locale)))
    return { locale, texts: own.size, missing: [...all].filter((key) => !own.has(key)) }
  })
}

function keysOf(folders: readonly FolderTexts[], locales: readonly string[]): string[] {
  const keys = folders.flatMap((folder) => locales.flatMap((locale) => Object.keys(folder.get(locale) ?? {})))
  const plurals = new Set(keys.flatMap((key) => /^(.+)_other$/.exec(key)?.[1] ?? []))
  return keys.map((key) => {
    const base = key.replace(/_(zero|one|two|few|many|other)$/, '')
    return plurals.has(base) ? base : key
  })
}
