import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'

/** One file of a views folder. */
export interface ViewFile {
  readonly absolute: string
  /** Path inside the folder with slashes, without `.hbs` and without locale: `mail/code/html`. */
  readonly stem: string
  /** Locale of this variant, from `html.pt-BR.hbs`; empty for all. */
  readonly locale: string
}

/** The package's own folder. */
export const BUILT_IN = path.join(__dirname, '..', '..', 'views')

const LOCALE_SUFFIX = /\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/
const PURPOSE_MAIL = /^mail\/[a-z0-9][a-z0-9_-]*\/(subject|preheader|html|text)$/
const UNCHECKED_FILES = /^(assets\/.+|samples\/[^/]+\.json|locales\/[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\.json)$/

/**
 * Lists a views folder. A file that no lookup would ever find is refused: most often it is a mistyped name, and the
 * built-in one would silently be used in its place.
 * @param builtInStems stems that exist in the package; null for the package's own folder
 */
export function listViews(folder: string, builtInStems: ReadonlySet<string> | null): ViewFile[] {
  const files: ViewFile[] = []
  for (const relative of listFiles(folder)) {
    const withoutSuffix = relative.replace(/\.hbs$/, '')
    const locale = relative.endsWith('.hbs') ? (LOCALE_SUFFIX.exec(withoutSuffix)?.[1] ?? '') : ''
    const stem = locale ? withoutSuffix.slice(0, -locale.length - 1) : withoutSuffix
    const file = { absolute: path.join(folder, relative), stem, locale }
    files.push(file)
    const isPartial = /^partials\/[^/]+\.(html|text)$/.test(stem)
    const isKnownFile = relative.endsWith('.hbs')
      ? PURPOSE_MAIL.test(stem) || isPartial
      : UNCHECKED_FILES.test(relative)
    if (builtInStems && !isKnownFile && !builtInStems.has(stem)) {
      const suggestion = didYouMean(stem, builtInStems).replace(/"\?$/, '.hbs"?')
      throw new OtpError('invalid_view', `views: ${file.absolute} matches no known view.${suggestion}`)
    }
  }
  return files
}

/** Changes whenever a file in one of the folders does; so that development sees an edit at the next page. */
export function modificationStamp(folders: readonly string[]): string {
  const time = (folder: string, file: string): number => statSync(path.join(folder, file)).mtimeMs
  return folders.map((folder) => listFiles(folder).map((file) => `${file}:${time(folder, file)}`)).join()
}

export function readView(file: string): string {
  return readFileSync(file, 'utf8')
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .sort()
  } catch (error) {
    throw new OtpError('invalid_view', `views: the folder ${folder} cannot be read.`, { cause: error })
  }
}
