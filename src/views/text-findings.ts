import type { Level } from './mail-rules/rule.js'

/** What is wrong in the texts of a locale. */
export interface TextFinding {
  readonly level: Level
  readonly rule: (typeof TEXT_RULES)[number]['rule']
  readonly message: string
  readonly cure: string
  /** The keys of the texts. */
  readonly keys: readonly string[]
}

/** The rules for texts. docs/template-reference.md has them all. */
export const TEXT_RULES = [
  { rule: 'text-missing', level: 'warning' },
  { rule: 'text-english', level: 'warning' },
  { rule: 'plural-missing', level: 'warning' },
] as const satisfies readonly { rule: string; level: Level }[]

type Texts = Readonly<Record<string, string>>

const MAX_LISTED = 8

/**
 * All that is wrong in the texts of a locale, each rule once with the keys that it is about.
 * @param texts those of the files of the locale, without what comes from other languages
 * @param english those of English, with which the others are compared
 */
export function findInTexts(locale: string, texts: Texts, english: Texts): TextFinding[] {
  if (/^en\b/.test(locale)) return []
  const plurals = Object.keys(english).flatMap((key) => /^(.+)_other$/.exec(key)?.[1] ?? [])
  const isPlural = (key: string): boolean => plurals.includes(key.replace(/_[a-z]+$/, ''))
  const missing = Object.keys(english).filter((key) =>
    isPlural(key) ? key.endsWith('_other') && texts[key] === undefined : texts[key] === undefined,
  )
  const equal = Object.keys(texts).filter((key) => texts[key] === english[key] && isSentence(texts[key]))
  const categories = new Intl.PluralRules(locale).resolvedOptions().pluralCategories
  const forms = plurals
    .filter((base) => texts[`${base}_other`] !== undefined)
    .flatMap((base) => categories.map((category) => `${base}_${category}`))
    .filter((key) => texts[key] === undefined)
  return [
    ...finding('text-missing', missing, 'are missing, and come from another language', 'Write them in the file.'),
    ...finding('text-english', equal, 'are the same as in English', 'Translate them.'),
    ...finding(
      'plural-missing',
      forms,
      'are plural forms of the language that are missing',
      'Write them beside `_other`.',
    ),
  ]
}

function finding(rule: TextFinding['rule'], keys: readonly string[], what: string, cure: string): TextFinding[] {
  if (keys.length === 0) return []
  const more = keys.length > MAX_LISTED ? ` and ${keys.length - MAX_LISTED} more` : ''
  const message = `${keys.slice(0, MAX_LISTED).join(', ')}${more} ${what}.`
  return [{ level: 'warning', rule, message, cure, keys }]
}

/** A single word may be the same in two languages: "Error" is Spanish too. */
function isSentence(text = ''): boolean {
  return /\p{L}\P{L}+\p{L}/u.test(text.replace(/\{\w+\}/g, ''))
}
