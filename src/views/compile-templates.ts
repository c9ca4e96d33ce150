import Handlebars from 'handlebars'
import { didYouMean } from '../suggest.js'
import { assetHelper } from './asset-url.js'
import { noteTag, withPlace } from './failure-place.js'
import { readView, type ViewFile } from './files.js'
import type { Report } from './issues.js'
import { type Format, type Template, templateFormat } from './locale-views.js'
import { type Messages, translate } from './messages.js'
import { type KnownNames, parseTemplate, type UsedNames } from './template-check.js'
import { FIELD_VARIABLES, OBJECTS, VARIABLES } from './variables.js'

/*
 * Two Handlebars instances, since a partial is compiled with the options of its first caller: in one instance a partial
 * shared by text and HTML would reach the HTML unescaped. Only trusted files are compiled (CVE-2021-32820); contexts are
 * plain objects of named fields, and nothing of a request names a template.
 */
const COMPILER_OPTIONS: Parameters<typeof Handlebars.compile>[1] = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: { t: true, asset: true, log: false },
}
const COMPILER_OPTIONS_BY_FORMAT = { html: COMPILER_OPTIONS, text: { ...COMPILER_OPTIONS, noEscape: true } }
const HANDLEBARS = { html: createHandlebars(), text: createHandlebars() }

function createHandlebars(): typeof Handlebars {
  const handlebars = Handlebars.create()
  handlebars.unregisterHelper('log')
  handlebars.registerHelper('asset', assetHelper)
  handlebars.registerHelper('t', (key: string, options: Handlebars.HelperOptions) => {
    try {
      const { messages } = options.data as { messages: Messages }
      return translate(messages, key, options.hash as Record<string, unknown>)
    } catch (error) {
      noteTag(error, options)
      throw error
    }
  })
  return handlebars
}

/** Checks and compiles the templates of all folders: a map for each folder. */
export function compileTemplates(
  filesByFolder: readonly (readonly ViewFile[])[],
  messageKeys: readonly string[] | null,
  assets: readonly string[],
  used: UsedNames,
  report: Report,
): ReadonlyMap<string, Template>[] {
  const partials = filesByFolder.flat().filter(isPartial)
  const partialsOfFormat = (format: Format): string[] =>
    partialNames(partials.filter((file) => templateFormat(file.stem) === format))
  const partialsByFormat = { html: partialsOfFormat('html'), text: partialsOfFormat('text') }
  const compile = (file: ViewFile): [string, Template][] => {
    const format = templateFormat(file.stem)
    const isHtml = format === 'html'
    const names = {
      ...variablesOf(file),
      partials: partialsByFormat[format],
      messageKeys,
      assets: isHtml && !isMail(file) ? assets : null,
      isHtml,
    }
    const source = readView(file.absolute, report)
    const ast = source === null ? null : parseTemplate(file.absolute, source, names, used, report)
    if (!ast) return []
    const template = HANDLEBARS[format].compile(ast, COMPILER_OPTIONS_BY_FORMAT[format])
    return [[`${file.stem}.${file.locale}`, withPlace(file.absolute, template)]]
  }
  return filesByFolder.map((files) => new Map(files.filter(isTemplate).flatMap(compile)))
}

/** A partial of the host's that nothing uses most often has a mistyped name. */
export function reportUnusedPartials(
  files: readonly ViewFile[],
  builtInStems: ReadonlySet<string>,
  used: UsedNames,
  report: Report,
): void {
  const usedNames = new Set(used.partials.map(({ name }) => name))
  for (const file of files.filter(isPartial)) {
    const name = partialName(file)
    if (builtInStems.has(file.stem) || usedNames.has(name)) continue
    const others = partialNames(files).filter((other) => other !== name)
    const cure = didYouMean(name, others).trim() || `Write {{> ${name}}} where it belongs, or delete the file.`
    const message = 'is a partial that no template uses.'
    report({ file: file.absolute, line: 1, column: 1, message, cure })
  }
}

/** Pages and mails may use the same partial. */
function variablesOf(file: ViewFile): Pick<KnownNames, 'variables' | 'objects'> {
  const page = [...VARIABLES.page, ...FIELD_VARIABLES]
  if (isPartial(file)) {
    const objects = OBJECTS.page.filter((one) => OBJECTS.mail.includes(one))
    return { variables: [...page, ...VARIABLES.mail], objects }
  }
  return isMail(file)
    ? { variables: VARIABLES.mail, objects: OBJECTS.mail }
    : { variables: page, objects: OBJECTS.page }
}

/** Also the layout of mails, but no partial. */
function isMail(file: ViewFile): boolean {
  return /^(mail|layouts\/mail)/.test(file.stem)
}

export function isTemplate(file: ViewFile): boolean {
  return file.absolute.endsWith('.hbs') && !file.stem.startsWith('assets/')
}

function isPartial(file: ViewFile): boolean {
  return file.stem.startsWith('partials/')
}

function partialName(file: ViewFile): string {
  return file.stem.replace(/^partials\/|\.(html|text)$/g, '')
}

export function partialNames(files: readonly ViewFile[]): string[] {
  return [...new Set(files.filter(isPartial).map(partialName))]
}
