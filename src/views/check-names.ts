import Handlebars from 'handlebars'
import { didYouMean } from '../suggest.js'
import { isPartial, isTemplate, partialName, partialNames, readView, type ViewFile } from './files.js'
import type { Report } from './issues.js'
import { type Format, templateFormat } from './locale-views.js'
import { explainSyntax } from './syntax-error.js'
import type { KnownNames, ParsedTemplate, UsedNames } from './template-check.js'
import { checkTemplate } from './template-checker.js'
import { FIELD_VARIABLES, OBJECTS, VARIABLES } from './variables.js'
import { Verdicts } from './verdicts.js'

/** A template of a views folder. */
export interface ParsedView extends ParsedTemplate {
  readonly view: ViewFile
}

/** The names that templates may use beside the variables. */
export interface HostNames {
  readonly hostHelpers: readonly string[]
  /** Null if a text file cannot be read, and so not all are known. */
  readonly messageKeys: readonly string[] | null
  readonly assets: readonly string[]
}

/** Parses the templates of a folder. What cannot be parsed is reported, and left out. */
export function parseViews(files: readonly ViewFile[], report: Report): ParsedView[] {
  return files.filter(isTemplate).flatMap((view) => {
    const file = view.absolute
    const source = readView(file, report)
    if (source === null) return []
    try {
      const ast = Handlebars.parse(source, { srcName: file })
      return [{ view, file, format: templateFormat(view.stem), ast }]
    } catch (error) {
      report({ file, ...explainSyntax(source, error) })
      return []
    }
  })
}

/** Checks all names in all templates, and whether all partials are used if all files could be parsed. */
export function checkNames(
  views: readonly ParsedView[],
  files: readonly ViewFile[],
  builtInStems: ReadonlySet<string>,
  host: HostNames,
  used: UsedNames,
  report: Report,
): void {
  const [names, usage] = [new Verdicts(), new Verdicts()]
  const partialsOf = (format: Format): ReadonlyMap<string, readonly ParsedView[]> => {
    const known = partialNames(files.filter(({ stem }) => templateFormat(stem) === format))
    const ofFormat = views.filter((one) => isPartial(one.view) && one.format === format)
    return new Map(known.map((name) => [name, ofFormat.filter(({ view }) => partialName(view) === name)]))
  }
  const partials = { html: partialsOf('html'), text: partialsOf('text') }
  const check = { ...host, partials, used, names, usage, included: new Set<ParsedTemplate>() }
  for (const one of views.filter(({ view }) => !isPartial(view))) checkTemplate(check, one, variablesOf(one.view, host))
  const lonely = views.filter((one) => isPartial(one.view) && !check.included.has(one))
  for (const one of lonely) checkTemplate(check, one, variablesOf(one.view, host))
  names.reportTo(report)
  if (views.length < files.filter(isTemplate).length) return
  usage.reportTo(report)
  for (const { view } of lonely.filter((one) => !builtInStems.has(one.view.stem))) reportUnused(view, files, report)
}

/** A partial of the host's that nothing uses most often has a mistyped name. */
function reportUnused(file: ViewFile, files: readonly ViewFile[], report: Report): void {
  const name = partialName(file)
  const others = partialNames(files).filter((other) => other !== name)
  const cure = didYouMean(name, others).trim() || `Write {{> ${name}}} where it belongs, or delete the file.`
  report({ file: file.absolute, line: 1, column: 1, message: 'is a partial that no template uses.', cure })
}

/** A partial that nothing uses may be for pages or for mails. */
function variablesOf(view: ViewFile, { assets }: HostNames): KnownNames {
  const page: KnownNames = { variables: [...VARIABLES.page, ...FIELD_VARIABLES], objects: OBJECTS.page, assets }
  const mail: KnownNames = { variables: VARIABLES.mail, objects: OBJECTS.mail, assets: null }
  if (!isPartial(view)) return /^(pages|layouts\/page)/.test(view.stem) ? page : mail
  const objects = page.objects.filter((one) => mail.objects.includes(one))
  return { variables: [...page.variables, ...mail.variables], objects, assets }
}
