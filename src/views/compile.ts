import path from 'node:path'
import Handlebars from 'handlebars'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { VARIABLES } from './context.js'
import { BUILT_IN, listViews, readView, type ViewFile } from './files.js'
import { loadMessages, type Messages, translate } from './messages.js'
import { parseTemplate } from './template-check.js'

/** A compiled template. */
export type Template = Handlebars.TemplateDelegate

/** Everything that the views folders hold, ready to render. */
export interface Compiled {
  /** By folder, the host's first: stem, dot, locale. */
  readonly templates: readonly ReadonlyMap<string, Template>[]
  /** Names of all partials, without folder and kind. */
  readonly partials: readonly string[]
  readonly messages: ReadonlyMap<string, Messages>
}

/*
 * Two engines, since a partial is compiled with the options of its first caller: in one engine a partial shared by
 * text and HTML would reach the HTML unescaped. Only trusted files are compiled (CVE-2021-32820); contexts are plain
 * objects of named fields, and nothing of a request names a template.
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
 * Compiles all files of all folders, the host's first and the package's last.
 * @throws OtpError `invalid_view`
 */
export function compileAll(folders: readonly string[]): Compiled {
  const builtIn = listViews(BUILT_IN, null)
  const builtInStems = new Set(builtIn.map((file) => file.stem))
  const filesByFolder = folders.map((folder) => (folder === BUILT_IN ? builtIn : listViews(folder, builtInStems)))
  const messages = new Map<string, Messages>()
  const english = loadMessages([path.join(BUILT_IN, 'locales', 'en.json')], null)
  for (const file of filesByFolder.flat().filter((one) => one.stem.startsWith('locales/'))) {
    const tag = path.basename(file.stem, '.json')
    const files = filesByFolder.flat().filter((one) => one.stem === file.stem)
    if (!messages.has(tag))
      messages.set(
        tag,
        loadMessages(
          files.map((one) => one.absolute),
          english,
        ),
      )
  }
  const keys = new Set([...messages.values()].flatMap((one) => Object.keys(one)))
  const partials = filesByFolder.flat().filter((file) => file.stem.startsWith('partials/'))
  const partialNames = [...new Set(partials.map(partialName))]
  const usedPartials = new Set<string>()
  const compile = (file: ViewFile): [string, Template] => {
    const isPage = /^(pages|layouts\/page)/.test(file.stem)
    const isPartial = file.stem.startsWith('partials/')
    const variables = [...(isPage || isPartial ? VARIABLES.page : []), ...(isPage ? [] : VARIABLES.mail)]
    const format = isPlainText(file.stem) ? 'text' : 'html'
    const partialsOfFormat = partials.filter((one) => one.stem.endsWith(`.${format}`)).map(partialName)
    const names = { variables, partials: [...new Set(partialsOfFormat)], messageKeys: [...keys] }
    const ast = parseTemplate(file.absolute, readView(file.absolute), names, usedPartials)
    return [`${file.stem}.${file.locale}`, HANDLEBARS[format].compile(ast, COMPILER_OPTIONS_BY_FORMAT[format])]
  }
  const templates = filesByFolder.map(
    (list) => new Map(list.filter((file) => file.absolute.endsWith('.hbs')).map(compile)),
  )
  const unusedPartial = partials.find((file) => !builtInStems.has(file.stem) && !usedPartials.has(partialName(file)))
  if (!unusedPartial) return { templates, partials: partialNames, messages }
  const cure = didYouMean(
    partialName(unusedPartial),
    partialNames.filter((name) => name !== partialName(unusedPartial)),
  )
  throw new OtpError('invalid_view', `views: ${unusedPartial.absolute} is a partial that no template uses.${cure}`)
}

/** Whether a template makes plain text: its output must not be escaped. */
export function isPlainText(stem: string): boolean {
  return /\.text$|^mail\/[^/]+\/(subject|preheader|text)$/.test(stem)
}

function partialName(file: ViewFile): string {
  return file.stem.replace(/^partials\/|\.(html|text)$/g, '')
}
