import path from 'node:path'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { readView } from './files.js'

/** Texts by key for one locale; missing keys come from English. */
export type Messages = Readonly<Record<string, string>>

/** Reads and merges the word files of one locale: the first folder wins, key by key. */
export function loadMessages(files: readonly string[], englishMessages: Messages | null): Messages {
  const messages: Record<string, string> = Object.create(null) as Record<string, string>
  for (const file of files) {
    for (const [key, text] of Object.entries(parse(file))) {
      if (englishMessages && !(key in englishMessages) && !/^(purpose|custom)\./.test(key)) {
        const suggestion = didYouMean(key, Object.keys(englishMessages))
        throw new OtpError('invalid_view', `views: ${file}: no text has the key "${key}".${suggestion}`)
      }
      messages[key] ??= text
    }
  }
  return messages
}

/** The text of a key with its `{name}` places filled. The syntax is the plain subset of ICU messages. */
export function translate(messages: Messages, key: string, values: Readonly<Record<string, unknown>> = {}): string {
  const text = messages[key]
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

export function textDirection(locale: string): 'ltr' | 'rtl' {
  return ['ar', 'fa', 'he', 'ur'].includes(new Intl.Locale(locale).language) ? 'rtl' : 'ltr'
}

function parse(file: string): Record<string, string> {
  try {
    const messages: unknown = JSON.parse(readView(file))
    for (const [key, text] of Object.entries(messages as object)) {
      if (typeof text !== 'string') throw new TypeError(`the text of "${key}" is not a string`)
    }
    return messages as Record<string, string>
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OtpError('invalid_view', `views: ${path.normalize(file)}: ${reason}`, { cause: error })
  }
}
