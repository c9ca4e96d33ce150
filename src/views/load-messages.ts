import { readFileSync } from 'node:fs'
import path from 'node:path'
import { memoize } from '../memoize.js'
import { didYouMean } from '../suggest.js'
import { BUILT_IN, readView, type ViewFile } from './files.js'
import { readTexts, type TextEntry } from './flat-json.js'
import type { Report } from './issues.js'
import { lookupOrder } from './locales.js'
import type { Messages, PluralForms, Text } from './messages.js'
import { ORIGINAL_KEY } from './original.js'

/** The texts of one file as they stand there. A plural has a key for each form: `key_one`, `key_few`, `key_other`. */
export type FileTexts = Readonly<Record<string, string>>

/** The texts of one views folder by locale. */
export type FolderTexts = ReadonlyMap<string, FileTexts>

const PLURAL_KEY = /^(.+)_(zero|one|two|few|many|other)$/

/** A text of the host's, and where it stands. */
export interface HostText extends TextEntry {
  readonly file: string
}

/** Reads the message files of one folder. */
export function loadTexts(files: readonly ViewFile[], hostTexts: HostText[], report: Report): FolderTexts {
  const english = builtInTexts(path.join(BUILT_IN, 'locales', 'en.json'))
  return new Map(
    files
      .filter(({ stem }) => stem.startsWith('locales/'))
      .map(({ stem, absolute }) => {
        const locale = path.posix.basename(stem, '.json')
        if (absolute.startsWith(BUILT_IN + path.sep)) return [locale, builtInTexts(absolute)]
        const entries = readHostTexts(absolute, english, report)
        hostTexts.push(...entries)
        return [locale, Object.fromEntries(entries.map(({ key, text }) => [key, text]))]
      }),
  )
}

/** The keys that a template may name, those of plurals without their suffix. */
export function messageKeys(folders: readonly FolderTexts[]): readonly string[] {
  const keys = new Set(folders.flatMap((texts) => [...texts.values()].flatMap((one) => Object.keys(one))))
  return [...new Set([...keys].flatMap((key) => [key, key.replace(/_other$/, '')]))]
}

/**
 * All texts for a locale. A text that it lacks comes from the default locale, then from English. Of one language the texts
 * of the first folder come first, so that a host's `pt.json` is heeded where the package has `pt-BR`.
 */
export function mergeMessages(folders: readonly FolderTexts[], locale: string, defaultLocale: string): Messages {
  const textsOf = (tag: string): Record<string, Text> => withPlurals(textsIn(folders, tag), tag)
  const merged = Object.create(null) as Record<string, Text>
  return Object.freeze(Object.assign(merged, textsOf('en'), textsOf(defaultLocale), textsOf(locale)))
}

/** The texts of a language, without those of other languages. */
export function textsIn(folders: readonly FolderTexts[], locale: string): FileTexts {
  const nearestFirst = folders.flatMap((texts) => lookupOrder(locale).map((one) => texts.get(one)))
  return Object.assign({}, ...nearestFirst.reverse()) as FileTexts
}

/** Turns the keys of plural forms into one: a plural is of one language as a whole. */
function withPlurals(texts: FileTexts, locale: string): Record<string, Text> {
  const merged: Record<string, Text> = {}
  const formsByKey = new Map<string, Partial<PluralForms>>()
  for (const [key, text] of Object.entries(texts)) {
    const [, base = '', category = ''] = PLURAL_KEY.exec(key) ?? []
    if (`${base}_other` in texts) formsByKey.set(base, { ...formsByKey.get(base), [category]: text })
    else merged[key] = text
  }
  for (const [key, forms] of formsByKey) merged[key] = Object.freeze({ locale, forms: forms as PluralForms })
  return merged
}

/** The package's own files are read once in a process: our tests prove them. */
const builtInTexts = memoize((file) => JSON.parse(readFileSync(file, 'utf8')) as FileTexts)

function readHostTexts(file: string, english: FileTexts, report: Report): HostText[] {
  const source = readView(file, report)
  const entries =
    source === null
      ? []
      : readTexts(source, (problem) => {
          report({ file, ...problem })
        })
  return entries.flatMap((entry) => {
    const { key, line, column } = entry
    if (key === ORIGINAL_KEY) return []
    const other = key.replace(PLURAL_KEY, '$1_other')
    if (key in english || other in english || /^(purpose|custom)\./.test(key)) return [{ ...entry, file }]
    const cure =
      didYouMean(key, Object.keys(english)).trim() || 'Texts of your own have keys that begin with "custom.".'
    report({ file, line, column, message: `no text has the key "${key}".`, cure })
    return []
  })
}

/**
 * A placeholder that nothing fills would fail the mail. The values are those of the built-in text, and those that a template
 * gives.
 */
export function checkPlaceholders(
  texts: readonly HostText[],
  valuesInTemplates: ReadonlyMap<string, ReadonlySet<string>>,
  report: Report,
): void {
  const english = builtInTexts(path.join(BUILT_IN, 'locales', 'en.json'))
  for (const { file, key, text, line, column } of texts) {
    const base = key.replace(PLURAL_KEY, '$1')
    if (/^(custom|purpose)\./.test(key)) continue // keys of the first may come from `custom`; the others have no values
    const defaults = [key, base, `${base}_one`, `${base}_other`].flatMap((one) => placeholdersIn(english[one] ?? ''))
    const inTemplates = [key, base].flatMap((one) => [...(valuesInTemplates.get(one) ?? [])])
    const known = new Set([...defaults, ...inTemplates, ...valuesInCode(key)])
    for (const name of placeholdersIn(text).filter((one) => !known.has(one))) {
      const names = [...known].map((one) => `{${one}}`).join(', ')
      const cure = names ? `This text can have: ${names}.` : 'This text has no placeholders.'
      report({ file, line, column, message: `the text "${key}" has no {${name}}.`, cure })
    }
  }
}

function placeholdersIn(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

/** What the pages give beside what the English text shows of it. */
function valuesInCode(key: string): readonly string[] {
  if (/^problem\..*\.detail|^problem\.(used|maybe_used)$/.test(key)) return ['recipient', 'count', 'in']
  return /^code\.(sent|queued|failed)/.test(key) ? ['recipient'] : []
}
