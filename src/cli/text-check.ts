import path from 'node:path'
import { listViews } from '../views/files.js'
import { textsByLocale } from '../views/text-coverage.js'
import { findInTexts } from '../views/text-findings.js'
import type { Found } from './found.js'

/** What is wrong in the texts of the languages that the host has files for. */
export function findInHostTexts(folders: readonly string[]): readonly Found[] {
  const byLocale = textsByLocale(folders)
  const files = folders.flatMap((folder) => listViews(folder, null, () => undefined))
  return files.flatMap(({ stem, absolute: file }) => {
    const locale = /^locales\/(.+)\.json$/.exec(stem)?.[1] ?? ''
    const findings = findInTexts(locale || 'en', byLocale.get(locale) ?? {}, byLocale.get('en') ?? {})
    return findings.map(({ level, rule, message, cure }) => {
      const place = { file: path.resolve(file), line: 1, column: 1 }
      return { ...place, level, rule, message, cure, mails: [], locales: [locale], samples: [] }
    })
  })
}
