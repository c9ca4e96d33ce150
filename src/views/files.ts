import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { placeAt, type Report } from './issues.js'
import { canonicalTag } from './locales.js'

/** One file of a views folder. */
export interface ViewFile {
  readonly absolute: string
  /** Path inside the folder with slashes, without `.hbs` and without locale: `mail/code/html`, `locales/pt-BR.json`. */
  readonly stem: string
  /** Locale of this variant, from `html.pt-BR.hbs` or `html.pt_br.hbs`; empty for all. */
  readonly locale: string
}

/** The package's own folder. */
export const BUILT_IN = path.join(__dirname, '..', '..', 'views')

const LOCALE_SUFFIX = /\.([a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$/
/** Names that the package does not have: mails for a purpose, and partials. */
const HOST_TEMPLATES =
  /^(mail\/[a-z0-9][a-z0-9_-]*\/(subject|preheader|html|text|layout\.(html|text))|partials\/[^/]+\.(html|text))$/
const UNCHECKED_FILES = /^(assets\/.+|samples\/[^/]+\.json|locales\/[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*\.json)$/
/** Sources of other tools, whose output the templates are, notes, and what editors leave. */
const PASSED_OVER = /^(?!assets\/).*(\.(mjml|tsx|jsx|md|swp|swo|bak|orig)|~)$/

/**
 * Lists a views folder. A file that no lookup would find is an error: most often its name is mistyped, and the built-in
 * file would silently be used instead.
 * @param builtInStems stems that exist in the package; null for the package's own folder
 */
export function listViews(folder: string, builtInStems: ReadonlySet<string> | null, report: Report): ViewFile[] {
  return listFiles(folder).flatMap((relative) => {
    const isTemplate = relative.endsWith('.hbs') && !relative.startsWith('assets/')
    const name = isTemplate ? relative.slice(0, -'.hbs'.length) : relative
    const locale = isTemplate ? (LOCALE_SUFFIX.exec(name)?.[1] ?? '') : ''
    const stem = locale ? name.slice(0, -locale.length - 1) : canonicalFileName(name)
    const absolute = path.join(folder, relative)
    const isKnownFile = isTemplate ? HOST_TEMPLATES.test(stem) : UNCHECKED_FILES.test(relative)
    if (builtInStems && !isKnownFile && !builtInStems.has(stem)) {
      const suggestion = didYouMean(stem, builtInStems).trim().replace(/"\?$/, '.hbs"?')
      const cure = suggestion || 'Rename it as docs/templates.md shows, or move it out of the folder.'
      report({ file: absolute, line: 1, column: 1, message: 'matches no known view.', cure })
      return []
    }
    return [{ absolute, stem, locale: canonicalTag(locale) ?? locale }]
  })
}

export function isTemplate(file: ViewFile): boolean {
  return file.absolute.endsWith('.hbs') && !file.stem.startsWith('assets/')
}

export function isPartial(file: ViewFile): boolean {
  return file.stem.startsWith('partials/')
}

export function partialName(file: ViewFile): string {
  return file.stem.replace(/^partials\/|\.(html|text)$/g, '')
}

export function partialNames(files: readonly ViewFile[]): string[] {
  return [...new Set(files.filter(isPartial).map(partialName))]
}

/** `locales/pt-BR.json` for `locales/pt_br.json`. */
function canonicalFileName(name: string): string {
  return name.replace(/(?<=^locales\/)[^./]+(?=\.json$)/, (tag) => canonicalTag(tag) ?? tag)
}

/** A text that differs as soon as a file in one of the folders was added, removed or written. */
export function modificationStamp(folders: readonly string[]): string {
  const time = (folder: string, file: string): number | undefined =>
    statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs
  return folders.map((folder) => listFiles(folder).map((file) => `${file}:${time(folder, file)}`)).join()
}

/** The text of a file, without the byte order mark that some editors write; null if it is not UTF-8. */
export function readView(file: string, report: Report): string | null {
  const bytes = readFileSync(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const text = bytes.toString('utf8')
    const place = placeAt(text, text.indexOf('\uFFFD'))
    report({ file, ...place, message: 'is not UTF-8.', cure: 'Save the file as UTF-8.' })
    return null
  }
}

function listFiles(folder: string): string[] {
  try {
    return walk(folder, [])
      .map((file) => path.relative(folder, file).split(path.sep).join('/'))
      .filter((file) => !PASSED_OVER.test(file))
      .sort()
  } catch (error) {
    throw new OtpError('invalid_view', `views: the folder ${folder} cannot be read.`, { cause: error })
  }
}

/** Follows links, which deployments make of mounted files, but not one that leads back to a folder above it. */
function walk(folder: string, parents: readonly string[]): string[] {
  const real = realpathSync(folder)
  if (parents.includes(real)) return []
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  return entries.flatMap((entry) => {
    const file = path.join(folder, entry.name)
    const target = entry.isSymbolicLink() ? statSync(file, { throwIfNoEntry: false }) : entry
    if (target?.isDirectory()) return walk(file, [...parents, real])
    return target?.isFile() ? [file] : []
  })
}
