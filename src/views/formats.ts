import { memoize } from '../memoize.js'

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

/**
 * "14:32 UTC": with its zone, since nobody knows the reader's, and in Latin digits like the code beside it. The space does
 * not break, or "UTC." could stand alone on a line.
 */
export function timeOfDay(locale: string, at: number): string {
  return `${formatsOf(locale).timeOfDay.format(at)}\u00a0UTC`
}

/** The plural category of a number: English has `one` and `other`. */
export function pluralCategory(locale: string, count: number): Intl.LDMLPluralRule {
  return formatsOf(locale).plural.select(count)
}

/** Kept per locale: making a formatter takes many times longer than using it. */
const formatsOf = memoize(createFormats)

function createFormats(locale: string) {
  const numberingSystem = 'latn'
  const unit = { style: 'unit', unitDisplay: 'long', numberingSystem } as const
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' } as const
  return Object.freeze({
    minutes: new Intl.NumberFormat(locale, { ...unit, unit: 'minute' }),
    days: new Intl.NumberFormat(locale, { ...unit, unit: 'day' }),
    seconds: new Intl.NumberFormat(locale, { ...unit, unit: 'second' }),
    timeOfDay: new Intl.DateTimeFormat(locale, { ...time, numberingSystem }),
    plural: new Intl.PluralRules(locale),
  })
}
