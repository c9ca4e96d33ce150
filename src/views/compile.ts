import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import type { PageContext } from '../config/page.js'
import { unkeyedHash } from '../crypto/keys.js'
import { OtpError } from '../errors.js'
import { memoize } from '../memoize.js'
import { didYouMean } from '../suggest.js'
import { VARIABLES } from './context.js'
import { emptyCustom } from './empty-custom.js'
import { BUILT_IN, listViews, readView, type ViewFile } from './files.js'
import { type Format, templateFormat, type LocaleViews, resolveLocaleViews, type Template } from './locale-views.js'
import { type FolderTexts, loadTexts, mergeMessages, messageKeys } from './load-messages.js'
import { matchLocale } from './locales.js'
import { type Messages, translate } from './messages.js'
import { parseTemplate, type UsedNames } from './template-check.js'

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

/*
 * Two Handlebars instances, since a partial is compiled with the options of its first caller: in one instance a partial
 * shared by text and HTML would reach the HTML unescaped. Only trusted files are compiled (CVE-2021-32820); contexts are
 * plain objects of named fields, and nothing of a request names a template.
 */
const COMPILER_OPTIONS: Parameters<typeof Handlebars.compile>[1] = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: { t: true, log: false },
}
const COMPILER_OPTIONS_BY_FORMAT = { html: COMPILER_OPTIONS, text: { ...COMPILER_OPTIONS, noEscape: true } }
const HANDLEBARS = { html: createHandlebars(), text: createHandlebars() }

function createHandlebars(): typeof Handlebars {
  const handlebars = Handlebars.create()
  handlebars.unregisterHelper('log')
  handlebars.registerHelper('t', (key: string, { hash, data }: Handlebars.HelperOptions) =>
    translate((data as { messages: Messages }).messages, key, hash as Record<string, unknown>),
  )
  return handlebars
}

/**
 * Compiles all files of all folders, the host's first and the package's last. The templates are the same for all locales;
 * what a locale renders with is looked up once.
 * @throws OtpError `invalid_view`
 */
export function compileAll(folders: readonly string[], defaultLocale: string): CompiledViews {
  const builtIn = listViews(BUILT_IN, null)
  const builtInStems = new Set(builtIn.map((file) => file.stem))
  const filesByFolder = folders.map((folder) => (folder === BUILT_IN ? builtIn : listViews(folder, builtInStems)))
  const files = filesByFolder.flat()
  const texts = filesByFolder.map(loadTexts)
  const mailFolders = files.flatMap(({ stem }) => /^mail\/([^/]+)\//.exec(stem)?.[1] ?? [])
  const used: UsedNames = { partials: new Set(), custom: new Map() }
  const compiledFiles = {
    templates: compileTemplates(filesByFolder, builtInStems, texts, used),
    partials: partialNames(files),
    mailFolders: [...new Set(mailFolders)],
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
  const nearestDefault = matchLocale(locales, defaultLocale) ?? defaultLocale
  resolve(nearestDefault)
  return Object.freeze({
    locales: Object.freeze(locales),
    viewsFor: (locale: string) => resolve(matchLocale(locales, locale) ?? nearestDefault),
    emptyCustom: emptyCustom(used.custom.values()),
    assetVersion: hashAssets(files),
  })
}

function hashAssets(files: readonly ViewFile[]): string {
  const assets = files.filter(({ stem }) => stem.startsWith('assets/'))
  return unkeyedHash(assets.map(({ stem, absolute }) => `${stem} ${unkeyedHash(readFileSync(absolute))}`).join('\n'))
}

function compileTemplates(
  filesByFolder: readonly (readonly ViewFile[])[],
  builtInStems: ReadonlySet<string>,
  texts: readonly FolderTexts[],
  used: UsedNames,
): ReadonlyMap<string, Template>[] {
  const partials = filesByFolder.flat().filter(isPartial)
  const partialsOfFormat = (format: Format): string[] =>
    partialNames(partials.filter((file) => templateFormat(file.stem) === format))
  const partialsByFormat = { html: partialsOfFormat('html'), text: partialsOfFormat('text') }
  const keys = messageKeys(texts)
  const compile = (file: ViewFile): [string, Template] => {
    const format = templateFormat(file.stem)
    const names = { variables: variablesOf(file), partials: partialsByFormat[format], messageKeys: keys }
    const ast = parseTemplate(file.absolute, readView(file.absolute), names, used)
    return [`${file.stem}.${file.locale}`, HANDLEBARS[format].compile(ast, COMPILER_OPTIONS_BY_FORMAT[format])]
  }
  const templates = filesByFolder.map(
    (files) => new Map(files.filter((file) => file.absolute.endsWith('.hbs')).map(compile)),
  )
  const unusedPartial = partials.find((file) => !builtInStems.has(file.stem) && !used.partials.has(partialName(file)))
  if (!unusedPartial) return templates
  const name = partialName(unusedPartial)
  const others = partialNames(partials).filter((other) => other !== name)
  const hint = `is a partial that no template uses.${didYouMean(name, others)}`
  throw new OtpError('invalid_view', `views: ${unusedPartial.absolute} ${hint}`)
}

/** Pages and mails may use the same partial. */
function variablesOf(file: ViewFile): readonly string[] {
  if (isPartial(file)) return [...VARIABLES.page, ...VARIABLES.mail]
  return /^(pages|layouts\/page)/.test(file.stem) ? VARIABLES.page : VARIABLES.mail
}

function isPartial(file: ViewFile): boolean {
  return file.stem.startsWith('partials/')
}

function partialName(file: ViewFile): string {
  return file.stem.replace(/^partials\/|\.(html|text)$/g, '')
}

function partialNames(files: readonly ViewFile[]): string[] {
  return [...new Set(files.filter(isPartial).map(partialName))]
}
