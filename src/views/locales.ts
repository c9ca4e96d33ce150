import { memoize } from '../memoize.js'

/** The tag in its canonical form, such as `pt-BR` for `pt_br`, without extensions; null if it is malformed. */
export const canonicalTag = memoize((tag: string): string | null => parseTag(tag)?.baseName ?? null)

/**
 * A locale and those whose texts may stand in for it, nearest first: RFC 4647 lookup, with the likely subtags of CLDR. `zh-TW`
 * finds `zh-Hant` but not `zh`, since a text in another script may be unreadable. Empty if the tag is malformed.
 */
export const lookupOrder = memoize((tag: string): readonly string[] => {
  const locale = parseTag(tag)
  if (!locale) return []
  const { language, script, region } = locale.maximize()
  const join = (...subtags: (string | undefined)[]): string => subtags.filter((one) => one !== undefined).join('-')
  const wider = [join(language, script, region), join(language, region), join(language, script), language]
  return [...new Set([locale.baseName, ...wider])].filter((one) => scriptOf(one) === script)
})

/** The one of `available` (canonical tags) that a person with this locale reads best; undefined if there is none. */
export function matchLocale(available: readonly string[], tag: string): string | undefined {
  const [nearest, ...wider] = lookupOrder(tag)
  if (nearest === undefined) return undefined
  const language = nearest.replace(/-.*/, '')
  const script = scriptOf(nearest)
  // Of another region: pt-BR for pt-PT, rather than a foreign language.
  const relatives = available.filter((one) => one.split('-')[0] === language && scriptOf(one) === script)
  const candidates = [nearest, ...wider, ...lookupOrder(script ? `${language}-${script}` : language)]
  return candidates.find((one) => relatives.includes(one)) ?? relatives[0]
}

/** ISO 15924 codes of the scripts in use that run from right to left. */
const RIGHT_TO_LEFT = 'Adlm Arab Aran Hebr Mand Mend Nkoo Rohg Samr Syrc Thaa Yezi'.split(' ')

export function textDirection(tag: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.includes(scriptOf(tag) ?? '') ? 'rtl' : 'ltr'
}

function scriptOf(tag: string): string | undefined {
  return scripts(tag).script
}

const scripts = memoize((tag: string) => ({ script: parseTag(tag)?.maximize().script }))

/** A tag comes from a user of the host's, from a header or a file name, so it may be anything. */
function parseTag(tag: string): Intl.Locale | null {
  try {
    return new Intl.Locale(tag.replaceAll('_', '-'))
  } catch {
    return null
  }
}
