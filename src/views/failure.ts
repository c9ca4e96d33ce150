import type { ViewIssue } from '../errors.js'
import { failurePlace } from './failure-place.js'
import type { Render } from './locale-views.js'
import { cureForVariable } from './nearest-name.js'
import type { UsedNames } from './template-check.js'
import { VARIABLES } from './variables.js'

const CUSTOM_CURE = '`custom` is empty in mails without `mail.locals`.'

/** Explains why a template cannot be rendered; null if only the host's own values can tell whether it can. */
export function explainFailure(
  thrown: unknown,
  template: Render,
  { locale, used }: { readonly locale: string; readonly used: UsedNames },
): ViewIssue | null {
  const error = failurePlace(thrown) ? thrown : ((thrown as Error).cause ?? thrown)
  const place = failurePlace(error) ?? { file: template.file, line: 1, column: 1 }
  const reason = error instanceof Error ? error.message : String(error)

  const [, key] = /no text has the key "(.*)"/.exec(reason) ?? []
  if (key !== undefined) {
    // The key comes from `custom`, which is empty here.
    if (!used.texts.has(key)) return null
    const cure = 'Add it to the file of the default locale, from which all others take what they lack.'
    return { ...place, message: `no text has the key "${key}" in the locale "${locale}".`, cure }
  }
  const [, helper, helperCure] = /^views: (the helper ".*?" (?:gave|threw).*?)\.(?: (.*))?$/.exec(reason) ?? []
  if (helper !== undefined) {
    const { cause } = error as Error
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    const cure = helperCure ?? 'It must take any value of a variable, the empty one too.'
    return { ...place, message: `${helper}${why}.`, cure }
  }
  if (reason.startsWith('The partial @partial-block could not be found')) {
    const block = used.partials.find((one) => one.file === place.file && one.name === '@partial-block')
    const message = 'it is included without a block, and needs one.'
    return { ...place, ...onlyPlace(block), message, cure: 'Write {{#> name}}…{{/name}} where it is included.' }
  }
  const [, text, value] = /the text "(.*)" needs \{(.*)\}/.exec(reason) ?? []
  if (value !== undefined) {
    const cure = `Write {{t "${text}" ${value}=…}}.`
    return { ...place, message: `the text "${text}" needs {${value}}, which is not given here.`, cure }
  }
  if (error instanceof RangeError) {
    const partial = used.recursions.find((one) => one.file === place.file) ?? used.recursions[0]
    const message = `the partial "${partial?.name ?? ''}" includes itself without end.`
    return { ...place, ...onlyPlace(partial), message, cure: 'Delete the inclusion.' }
  }
  const [, name] = /^"(.*)" not defined in/.exec(reason) ?? []
  if (name !== undefined && used.parameters.has(name)) {
    const cure = `Ask with {{#if ${name}}}, or give it wherever the partial is included.`
    return { ...place, message: `"${name}" is not given by all that include this.`, cure }
  }
  if (name !== undefined) {
    const custom = used.custom.find((one) => one.file === place.file && one.path.at(-1) === name)
    const message = `"${custom?.name ?? name}" does not exist in ${kindOf(template)}.`
    const cure = custom ? CUSTOM_CURE : cureForVariable(name, VARIABLES[kindOf(template) === 'mails' ? 'mail' : 'page'])
    return { ...place, message, cure }
  }
  const [, member = ''] = /reading '(.*)'/.exec(reason) ?? []
  const custom = used.custom.find((one) => one.file === place.file && one.path.includes(member))
  if (!custom) return { ...place, message: `cannot be rendered: ${reason}.`, cure: 'See docs/template-reference.md.' }
  return {
    ...onlyPlace(custom),
    file: place.file,
    message: `"${custom.name}" is empty here.`,
    cure: CUSTOM_CURE,
  }
}

function onlyPlace(reference: { line: number; column: number } | undefined): { line: number; column: number } {
  return { line: reference?.line ?? 1, column: reference?.column ?? 1 }
}

function kindOf({ stem }: Render): 'pages' | 'mails' {
  return /^(pages|layouts\/page|partials\/head)/.test(stem) ? 'pages' : 'mails'
}
