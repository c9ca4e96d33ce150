import path from 'node:path'
import { didYouMean, OtpError } from './errors.js'
import { readView } from './view-files.js'

/** Texts by key for one locale; missing keys come from English. */
export type Words = Readonly<Record<string, string>>

/** Reads and merges the word files of one locale: the first folder wins, key by key. */
export function loadWords(files: readonly string[], known: Words | null): Words {
  const words: Record<string, string> = Object.create(null) as Record<string, string>
  for (const file of files) {
    for (const [key, text] of Object.entries(parse(file))) {
      if (known && !(key in known) && !/^(purpose|custom)\./.test(key)) {
        const near = didYouMean(key, Object.keys(known))
        throw new OtpError('invalid_view', `views: ${file}: no text has the key "${key}".${near}`)
      }
      words[key] ??= text
    }
  }
  return words
}

/** The text of a key with its `{name}` places filled. The syntax is the plain subset of ICU messages. */
export function say(words: Words, key: string, values: Readonly<Record<string, unknown>> = {}): string {
  const text = words[key]
  if (text === undefined) throw new OtpError('render_failed', `views: no text has the key "${key}".`)
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (Object.hasOwn(values, name)) return String(values[name])
    throw new OtpError('render_failed', `views: the text "${key}" needs {${name}}, which is not given here.`)
  })
}

/** "10 minutes", in the words of the locale. */
export function duration(locale: string, seconds: number): string {
  const inMinutes = seconds >= 60
  const unit = inMinutes ? 'minute' : 'second'
  const count = Math.max(1, inMinutes ? Math.ceil(seconds / 60) : Math.ceil(seconds))
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    numberingSystem: 'latn',
  }).format(count)
}

/** "14:32 UTC": with its zone, since nobody knows the reader's, and in Latin digits, since a code stands near. */
export function timeOfDay(locale: string, at: number): string {
  return new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
    timeZoneName: 'short',
    numberingSystem: 'latn',
  }).format(at)
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return ['ar', 'fa', 'he', 'ur'].includes(new Intl.Locale(locale).language) ? 'rtl' : 'ltr'
}

function parse(file: string): Record<string, string> {
  try {
    const words: unknown = JSON.parse(readView(file))
    for (const [key, text] of Object.entries(words as object)) {
      if (typeof text !== 'string') throw new TypeError(`the text of "${key}" is not a string`)
    }
    return words as Record<string, string>
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new OtpError('invalid_view', `views: ${path.normalize(file)}: ${why}`, { cause: error })
  }
}
