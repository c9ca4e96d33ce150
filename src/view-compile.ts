import path from 'node:path'
import Handlebars from 'handlebars'
import { didYouMean, OtpError } from './errors.js'
import { parseTemplate } from './view-check.js'
import { VARIABLES } from './view-context.js'
import { BUILT_IN, listViews, readView, type ViewFile } from './view-files.js'
import { loadWords, say, type Words } from './words.js'

/** A compiled template. */
export type Render = Handlebars.TemplateDelegate

/** Everything that the views folders hold, ready to render. */
export interface Compiled {
  /** By folder, the host's first: stem, dot, locale. */
  readonly templates: readonly ReadonlyMap<string, Render>[]
  /** Names of all partials, without folder and kind. */
  readonly partials: readonly string[]
  readonly words: ReadonlyMap<string, Words>
}

/*
 * Two engines, since a partial is compiled with the options of its first caller: in one engine a partial shared by
 * text and HTML would reach the HTML unescaped. Only trusted files are compiled (CVE-2021-32820); contexts are plain
 * objects of named fields, and nothing of a request names a template.
 */
const OPTIONS: Parameters<typeof Handlebars.compile>[1] = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: { t: true, log: false },
}
const COMPILE = { html: OPTIONS, text: { ...OPTIONS, noEscape: true } }
const ENGINES = { html: engine(), text: engine() }

function engine(): typeof Handlebars {
  const handlebars = Handlebars.create()
  handlebars.unregisterHelper('log')
  handlebars.registerHelper('t', (key: string, { hash, data }: Handlebars.HelperOptions) =>
    say((data as { words: Words }).words, key, hash as Record<string, unknown>),
  )
  return handlebars
}

/**
 * Compiles all files of all folders, the host's first and the package's last.
 * @throws OtpError `invalid_view`
 */
export function compileAll(folders: readonly string[]): Compiled {
  const builtIn = listViews(BUILT_IN, null)
  const known = new Set(builtIn.map((file) => file.stem))
  const lists = folders.map((folder) => (folder === BUILT_IN ? builtIn : listViews(folder, known)))
  const words = new Map<string, Words>()
  const english = loadWords([path.join(BUILT_IN, 'locales', 'en.json')], null)
  for (const file of lists.flat().filter((one) => one.stem.startsWith('locales/'))) {
    const tag = path.basename(file.stem, '.json')
    const files = lists.flat().filter((one) => one.stem === file.stem)
    if (!words.has(tag))
      words.set(
        tag,
        loadWords(
          files.map((one) => one.absolute),
          english,
        ),
      )
  }
  const keys = new Set([...words.values()].flatMap((one) => Object.keys(one)))
  const partials = lists.flat().filter((file) => file.stem.startsWith('partials/'))
  const partialNames = [...new Set(partials.map(nameOf))]
  const used = new Set<string>()
  const compile = (file: ViewFile): [string, Render] => {
    const isPage = /^(pages|layouts\/page)/.test(file.stem)
    const isPartial = file.stem.startsWith('partials/')
    const variables = [...(isPage || isPartial ? VARIABLES.page : []), ...(isPage ? [] : VARIABLES.mail)]
    const kind = isText(file.stem) ? 'text' : 'html'
    const within = partials.filter((one) => one.stem.endsWith(`.${kind}`)).map(nameOf)
    const names = { variables, partials: [...new Set(within)], words: [...keys] }
    const ast = parseTemplate(file.absolute, readView(file.absolute), names, used)
    return [`${file.stem}.${file.locale}`, ENGINES[kind].compile(ast, COMPILE[kind])]
  }
  const templates = lists.map((list) => new Map(list.filter((file) => file.absolute.endsWith('.hbs')).map(compile)))
  const lost = partials.find((file) => !known.has(file.stem) && !used.has(nameOf(file)))
  if (!lost) return { templates, partials: partialNames, words }
  const cure = didYouMean(
    nameOf(lost),
    partialNames.filter((name) => name !== nameOf(lost)),
  )
  throw new OtpError('invalid_view', `views: ${lost.absolute} is a partial that no template uses.${cure}`)
}

/** Whether a template makes plain text: its output must not be escaped. */
export function isText(stem: string): boolean {
  return /\.text$|^mail\/[^/]+\/(subject|preheader|text)$/.test(stem)
}

function nameOf(file: ViewFile): string {
  return file.stem.replace(/^partials\/|\.(html|text)$/g, '')
}
