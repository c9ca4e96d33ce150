import { readFileSync } from 'node:fs'
import type { PageContext } from '../config/page.js'
import { unkeyedHash } from '../crypto/keys.js'
import type { ViewIssue } from '../errors.js'
import { memoize } from '../memoize.js'
import { compileTemplates, isTemplate, partialNames, reportUnusedPartials } from './compile-templates.js'
import { emptyCustom } from './empty-custom.js'
import { BUILT_IN, listViews, type ViewFile } from './files.js'
import { type Report, throwIssues } from './issues.js'
import { checkPlaceholders, type HostText, loadTexts, mergeMessages, messageKeys } from './load-messages.js'
import { type LocaleViews, resolveLocaleViews } from './locale-views.js'
import { matchLocale } from './locales.js'
import type { UsedNames } from './template-check.js'

/** The views of a locale, and beside them those of the package alone, with the same texts. */
export interface CompiledLocale extends LocaleViews {
  readonly builtIn: LocaleViews
}

/** Everything that the views folders hold, ready to render. */
export interface CompiledViews {
  /** Locales that have messages. */
  readonly locales: readonly string[]
  /** The views of the nearest locale, else of the default one. Made when a locale is first used, and then kept. */
  readonly viewsFor: (locale: string) => CompiledLocale
  /** What `custom` is without the host. */
  readonly emptyCustom: PageContext['custom']
  /** Hash of all assets. */
  readonly assetVersion: string
}

/**
 * Compiles all files of all folders, the host's first and the package's last. The templates are the same for all locales;
 * what a locale renders with is looked up once.
 * @throws OtpError `invalid_view`
 */
export function compileAll(folders: readonly string[], defaultLocale: string): CompiledViews {
  const issues: ViewIssue[] = []
  const report: Report = (issue) => void issues.push(issue)
  const builtIn = listViews(BUILT_IN, null, report)
  const builtInStems = new Set(builtIn.map((file) => file.stem))
  const filesByFolder = folders.map((folder) =>
    folder === BUILT_IN ? builtIn : listViews(folder, builtInStems, report),
  )
  const files = filesByFolder.flat()
  const unknownFiles = issues.length
  const hostTexts: HostText[] = []
  const texts = filesByFolder.map((one) => loadTexts(one, hostTexts, report))
  const areTextsRead = issues.slice(unknownFiles).every(({ message }) => message.startsWith('no text has'))
  const mailFolders = files.flatMap(({ stem }) => /^mail\/([^/]+)\//.exec(stem)?.[1] ?? [])
  const used: UsedNames = { partials: [], custom: [], texts: new Map() }
  const templates = compileTemplates(filesByFolder, areTextsRead ? messageKeys(texts) : null, used, report)
  const compiledFiles = {
    templates,
    partials: partialNames(files),
    mailFolders: [...new Set(mailFolders)],
  }
  // What a template uses is known when it can be parsed.
  if (files.filter(isTemplate).length === templates.reduce((sum, { size }) => sum + size, 0)) {
    reportUnusedPartials(files, builtInStems, used, report)
    checkPlaceholders(hostTexts, used.texts, report)
  }
  throwIssues(issues)
  const builtInFiles = { ...compiledFiles, templates: compiledFiles.templates.slice(-1) }
  const locales = [...new Set(texts.flatMap((one) => [...one.keys()]))]
  const resolve = memoize((locale): CompiledLocale => {
    const messages = mergeMessages(texts, locale, defaultLocale)
    return Object.freeze({
      ...resolveLocaleViews(compiledFiles, locale, messages),
      builtIn: resolveLocaleViews(builtInFiles, locale, messages),
    })
  })
  const nearestDefault = matchLocale(locales, defaultLocale) ?? defaultLocale
  resolve(nearestDefault)
  return Object.freeze({
    locales: Object.freeze(locales),
    viewsFor: (locale: string) => resolve(matchLocale(locales, locale) ?? nearestDefault),
    emptyCustom: emptyCustom(used.custom.map((one) => one.path)),
    assetVersion: hashAssets(files),
  })
}

function hashAssets(files: readonly ViewFile[]): string {
  const assets = files.filter(({ stem }) => stem.startsWith('assets/'))
  return unkeyedHash(assets.map(({ stem, absolute }) => `${stem} ${unkeyedHash(readFileSync(absolute))}`).join('\n'))
}
