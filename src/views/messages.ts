import { OtpError } from '../errors.js'
import { pluralCategory } from './formats.js'

/** Texts by key. */
export type Messages = Readonly<Record<string, Text>>

export type Text = string | PluralText

/** One text for each plural category of a language, chosen by the value `count`. */
export interface PluralText {
  /** The language of the texts, which need not be that of the page: a missing text comes from another. */
  readonly locale: string
  readonly forms: PluralForms
}

export type PluralForms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>

/** The text of a key with its `{name}` placeholders filled: the simple subset of ICU messages. */
export function translate(messages: Messages, key: string, values: Readonly<Record<string, unknown>> = {}): string {
  const text = messages[key]
  if (text === undefined) throw new OtpError('render_failed', `views: no text has the key "${key}".`)
  const form = typeof text === 'string' ? text : formFor(text, Number(values.count))
  return form.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (Object.hasOwn(values, name)) return String(values[name])
    throw new OtpError('render_failed', `views: the text "${key}" needs {${name}}, which is not given here.`)
  })
}

/** The action of a purpose in words; empty if it has none. */
export function purposeText(messages: Messages, purpose: string): string {
  const text = messages[`purpose.${purpose}`]
  return typeof text === 'string' ? text : ''
}

function formFor({ locale, forms }: PluralText, count: number): string {
  return forms[pluralCategory(locale, count)] ?? forms.other
}
