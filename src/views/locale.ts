/** The locale itself, else its bare language, whichever has messages. */
export function matchLocale(locales: readonly string[], own: string): string | undefined {
  return locales.includes(own) ? own : locales.find((tag) => tag === own.replace(/-.*/, ''))
}
