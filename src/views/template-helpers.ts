import Handlebars from 'handlebars'
import type { TemplateHelper } from '../config/options.js'
import { OtpError } from '../errors.js'
import { OptionChecker } from '../validate.js'
import { assetHelper } from './asset-url.js'
import { isEmptyCustom } from './empty-custom.js'
import { noteTag } from './failure-place.js'
import { type Messages, translate } from './messages.js'
import { FIELD_VARIABLES, VARIABLES } from './variables.js'

/** The option `helpers`, checked. */
export type HostHelpers = Readonly<Record<string, TemplateHelper>>

/** Helpers as Handlebars calls them. */
export type HelperTable = Readonly<Record<string, Handlebars.HelperDelegate>>

const isTrue = (value: unknown): boolean => Boolean(value) && !Handlebars.Utils.isEmpty(value)
/** The first value that decides, else the last one. Handlebars gives its own object behind them. */
const decisive = (given: unknown[], isDecisive: (value: unknown) => boolean): unknown => {
  const values = given.slice(0, -1)
  return values.at(values.findIndex(isDecisive))
}

/** Ours, beside the blocks of Handlebars. `and` and `or` give the value that decides, as in JavaScript. */
export const HELPERS: HelperTable = Object.freeze({
  t: (key: string, options: Handlebars.HelperOptions) => {
    const { messages } = options.data as { messages: Messages }
    return atTag(options, () => translate(messages, key, options.hash as Record<string, unknown>))
  },
  asset: assetHelper,
  eq: (a: unknown, b: unknown) => a === b,
  ne: (a: unknown, b: unknown) => a !== b,
  and: (...values: unknown[]) => decisive(values, (value) => !isTrue(value)),
  or: (...values: unknown[]) => decisive(values, isTrue),
})

const check = new OptionChecker('emailOtp')
const WORDS =
  'if unless each with lookup log asset inline place helperMissing blockHelperMissing else as this true false'
const VARIABLE_NAMES = [...VARIABLES.page, ...VARIABLES.mail, ...FIELD_VARIABLES].flatMap((one) => one.split(/\W+/))

/**
 * Checks the option `helpers`. A helper with the name of a variable would be called in its place.
 * @throws OtpError `invalid_option`
 */
export function resolveHelpers(helpers: unknown = {}): HostHelpers {
  if (typeof helpers !== 'object' || helpers === null || Array.isArray(helpers)) {
    throw check.invalid('helpers', helpers, 'Give an object of names and functions.')
  }
  for (const [name, helper] of Object.entries(helpers)) {
    if (!/^[a-zA-Z]\w*$/.test(name)) {
      throw check.invalid('helpers', name, 'Names are letters, digits and underscores, a letter first.')
    }
    if (name in HELPERS || WORDS.split(' ').includes(name)) {
      throw check.invalid('helpers', name, 'That name has a meaning in templates: give yours another one.')
    }
    if (VARIABLE_NAMES.includes(name)) {
      throw check.invalid('helpers', name, 'That is the name of a variable, which it would hide: give it another one.')
    }
    if (typeof helper !== 'function') throw check.invalid(`helpers.${name}`, helper, 'Give a function.')
  }
  return Object.freeze({ ...helpers })
}

/** Helpers of the host's, which see values and never Handlebars' own objects, and whose results are text. */
export function helperTable(helpers: HostHelpers): HelperTable {
  const entries = Object.entries(helpers).map(([name, helper]) => {
    const delegate: Handlebars.HelperDelegate = (...given: unknown[]) => {
      const options = given.at(-1) as Handlebars.HelperOptions
      return atTag(options, () => callHelper(name, helper, given.slice(0, -1), options.hash as object))
    }
    return [name, delegate]
  })
  return Object.freeze(Object.fromEntries(entries)) as HelperTable
}

function callHelper(name: string, helper: TemplateHelper, positional: unknown[], hash: object): unknown {
  const named = Object.entries(hash)
  const given = [...positional, ...named.map(([, value]: [string, unknown]) => value)]
  const values = positional.map(plain)
  if (named.length > 0) values.push(Object.fromEntries(named.map(([key, value]) => [key, plain(value)])))
  let result: unknown
  try {
    result = helper(...values)
  } catch (error) {
    if (given.some(isEmptyCustom)) return '' // it prints nothing, as everywhere
    if (error instanceof RangeError && /call stack/i.test(error.message)) throw error // of a partial that includes itself
    throw new OtpError('render_failed', `views: the helper "${name}" threw.`, { cause: error })
  }
  if (result === undefined || result === null || ['string', 'number', 'boolean'].includes(typeof result)) return result
  if (typeof (result as { then?: unknown }).then !== 'function') {
    throw new OtpError('render_failed', `views: the helper "${name}" gave no text. Return a string or a number.`)
  }
  Promise.resolve(result).catch(() => undefined)
  const cure = 'Helpers are synchronous: let `locals` or `mail.locals` do that.'
  throw new OtpError('render_failed', `views: the helper "${name}" gave a promise. ${cure}`)
}

function plain(value: unknown): unknown {
  if (isEmptyCustom(value)) return undefined
  return value instanceof Handlebars.SafeString ? value.toString() : value
}

function atTag<T>(options: Handlebars.HelperOptions, act: () => T): T {
  try {
    return act()
  } catch (error) {
    noteTag(error, options)
    throw error
  }
}
