import Handlebars from 'handlebars'
import type { ParsedView } from './check-names.js'
import { markFragments, place, type Template, withPlace } from './failure-place.js'
import { HELPERS } from './template-helpers.js'

/*
 * Two Handlebars instances, since a partial is compiled with the options of its first caller: in one instance a partial
 * shared by text and HTML would reach the HTML unescaped. Only trusted files are compiled (CVE-2021-32820); contexts are
 * plain objects of named fields, and nothing of a request names a template.
 */
const HANDLEBARS = { html: createHandlebars(), text: createHandlebars() }

function createHandlebars(): typeof Handlebars {
  const handlebars = Handlebars.create()
  for (const name of ['log', 'lookup', 'helperMissing', 'blockHelperMissing']) handlebars.unregisterHelper(name)
  for (const [name, helper] of Object.entries(HELPERS)) handlebars.registerHelper(name, helper)
  handlebars.registerDecorator('place', place)
  return handlebars
}

/** Compiles templates that were checked. The helpers of the host are given when they are rendered: each plugin has its own. */
export function compileTemplates(
  views: readonly ParsedView[],
  hostHelpers: readonly string[],
): ReadonlyMap<string, Template> {
  const known = [...Object.keys(HELPERS), ...hostHelpers].map((name) => [name, true])
  const options = {
    strict: true,
    knownHelpersOnly: true,
    knownHelpers: { ...Object.fromEntries(known), log: false, lookup: false } as KnownHelpers,
  }
  const compile = ({ view: { stem, locale }, file, format, ast }: ParsedView): [string, Template] => {
    markFragments(ast)
    const template = HANDLEBARS[format].compile(ast, { ...options, noEscape: format === 'text' })
    return [`${stem}.${locale}`, withPlace(file, template)]
  }
  return new Map(views.map(compile))
}
