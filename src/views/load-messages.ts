import path from 'node:path'
import { OtpError } from '../errors.js'
import { memoize } from '../memoize.js'
import { didYouMean } from '../suggest.js'
import { BUILT_IN, readView, type ViewFile } from './files.js'
import { lookupOrder } from './locales.js'
import type { Messages, PluralForms, Text } from './messages.js'

/** The texts of one file as they stand there. A plural has a key for each form: `key_one`, `key_few`, `key_other`. */
type FileTexts = Readonly<Record<string, string>>

/** The texts of one views folder by locale. */
export type FolderTexts = ReadonlyMap<string, FileTexts>

const PLURAL_KEY = /^(.+)_(zero|one|two|few|many|other)$/

/** Reads the message files of one folder. @throws OtpError `invalid_view` */
export function loadTexts(files: readonly ViewFile[]): FolderTexts {
  const english = builtInTexts(path.join(BUILT_IN, 'locales', 'en.json'))
  return new Map(
    files
      .filter(({ stem }) => stem.startsWith('locales/'))
      .map(({ stem, absolute }) => [
        path.posix.basename(stem, '.json'),
        absolute.startsWith(BUILT_IN + path.sep) ? builtInTexts(absolute) : hostTexts(absolute, english),
      ]),
  )
}

/** The keys that a template may name, those of plurals without their suffix. */
export function messageKeys(folders: readonly FolderTexts[]): readonly string[] {
  const keys = folders.flatMap((texts) => [...texts.values()].flatMap((one) => Object.keys(one)))
  return [...new Set(keys.flatMap((key) => [key, key.replace(/_other$/, '')]))]
}

/**
 * All texts for a locale. A text that it lacks comes from the default locale, then from English. Of one language the texts
 * of the first folder come first, so that a host's `pt.json` is heeded where the package has `pt-BR`.
 */
export function mergeMessages(folders: readonly FolderTexts[], locale: string, defaultLocale: string): Messages {
  const textsOf = (tag: string): Record<string, Text> => {
    const nearestFirst = folders.flatMap((texts) => lookupOrder(tag).map((one) => texts.get(one)))
    return withPlurals(Object.assign({}, ...nearestFirst.reverse()) as FileTexts, tag)
  }
  const merged = Object.create(null) as Record<string, Text>
  return Object.freeze(Object.assign(merged, textsOf('en'), textsOf(defaultLocale), textsOf(locale)))
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
const builtInTexts = memoize(parse)

function hostTexts(file: string, english: FileTexts): FileTexts {
  const texts = parse(file)
  for (const key of Object.keys(texts)) {
    const other = key.replace(PLURAL_KEY, '$1_other')
    if (key in english || other in english || /^(purpose|custom)\./.test(key)) continue
    const suggestion = didYouMean(key, Object.keys(english))
    throw new OtpError('invalid_view', `views: ${file}: no text has the key "${key}".${suggestion}`)
  }
  return texts
}

function parse(file: string): FileTexts {
  try {
    const messages: unknown = JSON.parse(readView(file))
    for (const [key, text] of Object.entries(messages as object)) {
      if (typeof text !== 'string') throw new TypeError(`the text of "${key}" is not a string`)
    }
    return messages as FileTexts
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OtpError('invalid_view', `views: ${path.normalize(file)}: ${reason}`, { cause: error })
  }
}
