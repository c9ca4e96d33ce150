import path from 'node:path'
import { OtpError } from '../errors.js'
import { memoize } from '../memoize.js'
import { didYouMean } from '../suggest.js'
import { readView } from './files.js'

/** Texts by key. */
export type Messages = Readonly<Record<string, string>>

/** The locale itself, else its bare language, whichever has messages. */
export function matchLocale(locales: readonly string[], own: string): string | undefined {
  return locales.includes(own) ? own : locales.find((tag) => tag === own.replace(/-.*/, ''))
}

/** Reads and merges the message files of one locale: the first file wins, key by key. */
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

/** The text of a key with its `{name}` placeholders filled: the simple subset of ICU messages. */
export function translate(messages: Messages, key: string, values: Readonly<Record<string, unknown>> = {}): string {
  const text = messages[key]
  if (text === undefined) throw new OtpError('render_failed', `views: no text has the key "${key}".`)
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (Object.hasOwn(values, name)) return String(values[name])
    throw new OtpError('render_failed', `views: the text "${key}" needs {${name}}, which is not given here.`)
  })
}

/** "10 minutes" in the locale's language, rounded up. */
export function duration(locale: string, seconds: number): string {
  const { minutes, seconds: inSeconds } = formatsOf(locale)
  const [format, count] = seconds >= 60 ? [minutes, seconds / 60] : [inSeconds, seconds]
  return format.format(Math.max(1, Math.ceil(count)))
}

/** "30 days" in the locale's language. */
export function dayCount(locale: string, count: number): string {
  return formatsOf(locale).days.format(count)
}

/** "14:32 UTC": with its zone, since nobody knows the reader's, and in Latin digits like the code beside it. */
export function timeOfDay(locale: string, at: number): string {
  return formatsOf(locale).timeOfDay.format(at)
}

export function textDirection(locale: string): 'ltr' | 'rtl' {
  return formatsOf(locale).direction
}

const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur']

/** Kept per locale: making a formatter takes many times longer than using it. */
const formatsOf = memoize(createFormats)

function createFormats(locale: string) {
  const numberingSystem = 'latn'
  const unit = { style: 'unit', unitDisplay: 'long', numberingSystem } as const
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC', timeZoneName: 'short' } as const
  return {
    minutes: new Intl.NumberFormat(locale, { ...unit, unit: 'minute' }),
    days: new Intl.NumberFormat(locale, { ...unit, unit: 'day' }),
    seconds: new Intl.NumberFormat(locale, { ...unit, unit: 'second' }),
    timeOfDay: new Intl.DateTimeFormat(locale, { ...time, numberingSystem }),
    direction: RIGHT_TO_LEFT.includes(new Intl.Locale(locale).language) ? ('rtl' as const) : ('ltr' as const),
  }
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
