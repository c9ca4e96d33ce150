/** The locale itself, or its language, if there are words for it. */
export function matchLocale(locales: readonly string[], own: string): string | undefined {
  return locales.includes(own) ? own : locales.find((tag) => tag === own.replace(/-.*/, ''))
}
