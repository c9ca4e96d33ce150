import { readFileSync } from 'node:fs'
import type { PageContext } from '../config/page.js'
import { unkeyedHash } from '../crypto/keys.js'
import type { ViewIssue } from '../errors.js'
import { memoize } from '../memoize.js'
import { warnOnce } from '../warn.js'
import { checkNames, parseViews } from './check-names.js'
import { compileTemplates } from './compile-templates.js'
import { emptyCustom } from './empty-custom.js'
import type { GeneratedAsset } from './brand-assets.js'
import { BUILT_IN, isTemplate, listViews, partialNames, type ViewFile } from './files.js'
import { type Report, throwIssues } from './issues.js'
import {
  checkPlaceholders,
  type FileTexts,
  type HostText,
  loadTexts,
  mergeMessages,
  messageKeys,
  textsIn,
} from './load-messages.js'
import { type LocaleViews, resolveLocaleViews } from './locale-views.js'
import { lookupOrder, matchLocale } from './locales.js'
import { warnAboutOutdated } from './original.js'
import { checkRendering } from './render-check.js'
import { loadSamples } from './sample-files.js'
import { type Sample, samplesWith } from './samples.js'
import type { UsedNames } from './template-check.js'
import { type HostHelpers, helperTable } from './template-helpers.js'

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
  /** The texts of a language as they stand in the files, without those of other languages. */
  readonly textsOf: (locale: string) => FileTexts
  /** What `custom` is without the host. */
  readonly emptyCustom: PageContext['custom']
  /** The folders below `mail`. */
  readonly mailFolders: readonly string[]
  /** Those with mail templates or a text of their own. */
  readonly purposes: readonly string[]
  /** What pages and mails are tried with. */
  readonly samples: readonly Sample[]
  /** Hash of all assets, generated ones too. */
  readonly assetVersion: string
}

/** What templates have beside the files. */
export interface CompileOptions {
  readonly generatedAssets: readonly GeneratedAsset[]
  readonly helpers: HostHelpers
  /** Whether mails get a `custom` from `mail.locals`. */
  readonly hasMailLocals: boolean
}

/**
 * Compiles all files of all folders, the host's first and the package's last. The templates are the same for all locales;
 * what a locale renders with is looked up once.
 * @throws OtpError `invalid_view`
 */
export function compileAll(
  folders: readonly string[],
  defaultLocale: string,
  { generatedAssets, helpers, hasMailLocals }: CompileOptions,
): CompiledViews {
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
  const used: UsedNames = { partials: [], recursions: [], parameters: new Set(), custom: [], texts: new Map() }
  const views = filesByFolder.map((one) => parseViews(one, report))
  const assetFiles = files.filter(isAsset)
  const ownAssets = assetFiles.map(({ stem }) => stem.replace('assets/', ''))
  const hostNames = {
    hostHelpers: Object.keys(helpers),
    messageKeys: areTextsRead ? messageKeys(texts) : null,
    assets: [...ownAssets, ...generatedAssets.map(({ name }) => name)],
  }
  const samples = samplesWith(loadSamples(filesByFolder, report))
  checkNames(views.flat(), files, builtInStems, hostNames, used, report)
  // What a template uses is known when it can be parsed.
  if (files.filter(isTemplate).length === views.flat().length) checkPlaceholders(hostTexts, used.texts, report)
  throwIssues(issues)
  const compiledFiles = {
    templates: views.map((one) => compileTemplates(one, hostNames.hostHelpers)),
    partials: partialNames(files),
    mailFolders: [...new Set(mailFolders)],
    helpers: helperTable(helpers),
  }
  const builtInFiles = { ...compiledFiles, templates: compiledFiles.templates.slice(-1) }
  const locales = [...new Set(texts.flatMap((one) => [...one.keys()]))]
  const resolve = memoize((locale): CompiledLocale => {
    const messages = mergeMessages(texts, locale, defaultLocale)
    return Object.freeze({
      ...resolveLocaleViews(compiledFiles, locale, messages),
      builtIn: resolveLocaleViews(builtInFiles, locale, messages),
    })
  })
  warnAboutUnused(files, locales)
  const nearestDefault = matchLocale(locales, defaultLocale) ?? defaultLocale
  resolve(nearestDefault)
  const empty = emptyCustom(used.custom.map((one) => one.path))
  const hostFiles = new Set(files.filter((file) => !builtIn.includes(file)).map((file) => file.absolute))
  warnAboutOutdated(files.filter(({ absolute }) => hostFiles.has(absolute)))
  if (hostFiles.size > 0) {
    const hash = hashFiles(files.filter(({ absolute }) => hostFiles.has(absolute)))
    const isPure = hostNames.hostHelpers.length === 0 // only then the files decide alone
    once(isPure ? `${nearestDefault} ${hasMailLocals} ${hash}` : null, () => {
      const isHostFile = (file: string): boolean => hostFiles.has(file)
      for (const locale of new Set([nearestDefault, ...hostLocales(locales, files, hostFiles)])) {
        const ofLocale = { locale, views: resolve(locale), samples, emptyCustom: empty, hasMailLocals }
        checkRendering({ ...ofLocale, used, isHostFile, report })
      }
      throwIssues(issues)
    })
  }
  return Object.freeze({
    locales: Object.freeze(locales),
    viewsFor: (locale: string) => resolve(matchLocale(locales, locale) ?? nearestDefault),
    textsOf: (locale: string) => textsIn(texts, locale),
    emptyCustom: empty,
    mailFolders: compiledFiles.mailFolders,
    purposes: Object.freeze([...new Set([...mailFolders, ...purposesIn(messageKeys(texts))])]),
    samples,
    assetVersion: unkeyedHash(
      [hashFiles(assetFiles), ...generatedAssets.map(({ content }) => unkeyedHash(content))].join(),
    ),
  })
}

function isAsset({ stem }: ViewFile): boolean {
  return stem.startsWith('assets/')
}

/** Those that have a text: `purpose.transfer`. */
function purposesIn(keys: readonly string[]): string[] {
  return keys.filter((key) => key.startsWith('purpose.')).map((key) => key.slice('purpose.'.length))
}

/** Pages and mails are in the locales that have texts, so a template for another one is never used. */
function warnAboutUnused(files: readonly ViewFile[], locales: readonly string[]): void {
  const localised = files.filter(({ locale }) => locale !== '')
  if (localised.length === 0) return
  const tags = new Set(locales.flatMap((one) => lookupOrder(one)))
  const unused = localised.filter(({ locale }) => !tags.has(locale)).map(({ absolute }) => absolute)
  if (unused.length === 0) return
  warnOnce('OTP_UNUSED_TEMPLATE', `No texts are for the locale of ${unused.join(', ')}, so it is never used.`)
}

/** The locales that files of the host's are for. */
function hostLocales(
  locales: readonly string[],
  files: readonly ViewFile[],
  hostFiles: ReadonlySet<string>,
): readonly string[] {
  const ofHost = files.filter(({ absolute }) => hostFiles.has(absolute))
  const tags = ofHost.map(({ locale, stem }) => locale || (/^locales\/(.+)\.json$/.exec(stem)?.[1] ?? ''))
  return locales.filter((one) => tags.includes(one))
}

const MAX_PROVEN = 100
/** What the files were that are known to be sound, so that further plugins with the same files start at once. */
const proven = new Set<string>()

function once(files: string | null, prove: () => void): void {
  if (files !== null && proven.has(files)) return
  prove()
  if (files === null) return
  if (proven.size >= MAX_PROVEN) proven.clear()
  proven.add(files)
}

function hashFiles(files: readonly ViewFile[]): string {
  return unkeyedHash(
    files.map(({ stem, locale, absolute }) => `${stem} ${locale} ${unkeyedHash(readFileSync(absolute))}`).join('\n'),
  )
}
