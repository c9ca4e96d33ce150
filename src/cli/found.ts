import type { ViewIssue } from '../errors.js'
import { printable } from './io.js'
import { shownPath } from './view-folders.js'

/** What `check` found, and where. */
export interface Found extends ViewIssue {
  readonly level: 'error' | 'warning'
  /** Of a rendered mail; null of a file. */
  readonly rule: string | null
  /** What was rendered when it was found; all empty of a file. */
  readonly mails: readonly string[]
  readonly locales: readonly string[]
  readonly samples: readonly string[]
}

export const FORMATS = ['text', 'json', 'github'] as const
export type Format = (typeof FORMATS)[number]

/** By file and line. Files are told as they are seen from this folder. */
export function formatFound(found: readonly Found[], format: Format): string {
  const shown = found
    .map((one) => ({ ...one, file: shownPath(one.file) }))
    .sort((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line || a.column - b.column)
  const [errors = 0, warnings = 0] = ['error', 'warning'].map(
    (level) => found.filter((one) => one.level === level).length,
  )
  if (format === 'json') return JSON.stringify({ errors, warnings, findings: shown }, null, 2)
  const lines = shown.map(format === 'github' ? githubLine : textLine)
  return [...lines, `${count(errors, 'error')}, ${count(warnings, 'warning')}`].join('\n')
}

function textLine({ file, line, column, level, rule, message, cure, ...where }: Found): string {
  const text = printable(`${message} ${cure}`)
  return `${file}:${line}:${column}: ${level}: ${text}${rule === null ? '' : ` [${rule}]`}${places(where)}`
}

/** A workflow command, which shows the message at its line in a pull request. */
function githubLine({ file, line, column, level, message, cure, ...where }: Found): string {
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return `::${level} file=${property(file)},line=${line},col=${column}::${data(`${message} ${cure}${places(where)}`)}`
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function places({ mails, locales, samples }: Pick<Found, 'mails' | 'locales' | 'samples'>): string {
  const lists = [mails, locales, samples].filter(({ length }) => length > 0)
  return lists.length > 0 ? ` (${lists.map(shortList).join('; ')})` : ''
}

function shortList(names: readonly string[]): string {
  return names.slice(0, 4).join(', ') + (names.length > 4 ? ` and ${names.length - 4} more` : '')
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? '' : 's'}`
}
