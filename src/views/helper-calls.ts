import { didYouMean } from '../suggest.js'
import { assetMistake } from './asset-url.js'
import type { Scope } from './scopes.js'
import { argumentsOf, type Call, isCall, isPath, isSubExpression, pairsOf, pathName } from './syntax-tree.js'

/** The blocks that templates may open. */
const BLOCKS = ['if', 'unless', 'each', 'with']
/** Our helpers, with the least and the largest number of values. */
const HELPERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  t: [1, 1],
  asset: [0, 1],
  eq: [2, 2],
  ne: [2, 2],
  and: [2, Infinity],
  or: [2, Infinity],
}

/** The place in a template where a call stands. */
export interface CallSite {
  readonly scope: Scope
  readonly isHtml: boolean
  /** Names of the host's helpers. */
  readonly hostHelpers: readonly string[]
  readonly messageKeys: readonly string[] | null
  /** Null in mails, which load nothing. */
  readonly assets: readonly string[] | null
  /** The names of the values that come with a text, by its key. */
  readonly texts: Map<string, Set<string>>
  readonly expect: (isSound: boolean, node: hbs.AST.Node, message: string, cure: () => string) => void
}

/** Whether a tag calls a helper: `{{now}}` does if there is one of that name. */
export function callsHelper({ hostHelpers }: CallSite, node: Call): boolean {
  return (
    isCall(node) || isSubExpression(node) || [...Object.keys(HELPERS), ...hostHelpers].includes(pathName(node.path))
  )
}

/** Checks the name of a helper, the number of its values, and the key of a text. */
export function checkHelper(site: CallSite, node: Call): void {
  const name = pathName(node.path)
  if (BLOCKS.includes(name)) {
    const cure = `Write {{#${name} …}}…{{/${name}}}.`
    return site.expect(false, node, `"${name}" opens a block.`, () => cure)
  }
  const known = [...Object.keys(HELPERS), ...site.hostHelpers]
  site.expect(known.includes(name), node, `unknown helper "${name}".`, () => nearest(name, [...known, ...BLOCKS]))
  const [min, max] = HELPERS[name] ?? [0, Infinity]
  const count = node.params.length
  const cure = `Write {{${name} ${min === 1 ? '"key"' : 'a b'}}}.`
  site.expect(count >= min && count <= max, node, `{{${name}}} has ${count} values.`, () => cure)
  if (name === 't') checkText(site, node)
  if (name === 'asset') checkAsset(site, node)
}

/** Checks the name of a block and the number of its values. */
export function checkBlock(site: CallSite, node: hbs.AST.BlockStatement): void {
  const name = pathName(node.path)
  if (BLOCKS.includes(name)) {
    const message = `{{#${name}}} has ${node.params.length} values.`
    return site.expect(node.params.length === 1, node, message, () => `Write one: {{#${name} variable}}.`)
  }
  const isHelper = [...Object.keys(HELPERS), ...site.hostHelpers].includes(name)
  const message = isHelper ? `the helper "${name}" opens no block.` : `unknown helper "${name}".`
  const cure = `Write {{${name} …}}, or {{#if (${name} …)}}.`
  site.expect(false, node, message, () => (isHelper ? cure : nearest(name, BLOCKS)))
}

/** What comes from a visitor, a name or a helper would reach the page as HTML. */
export function checkUnescaped(site: CallSite, node: hbs.AST.MustacheStatement): void {
  if (node.escaped || !site.isHtml) return
  const expectHtml = (isHtml: boolean, name: string): void => {
    const cure = 'Write two braces. Only `body` and `custom.…` may have three.'
    site.expect(isHtml, node, `"${name}" would reach the HTML unescaped.`, () => cure)
  }
  const name = pathName(node.path)
  if (callsHelper(site, node) && name !== 't') return expectHtml(false, name)
  for (const value of isCall(node) ? argumentsOf(node) : [node.path]) {
    if (isSubExpression(value)) expectHtml(false, pathName(value.path))
    else if (isPath(value)) expectHtml(mayBeHtml(site.scope.resolve(value)), value.original)
  }
}

function mayBeHtml(path: string | null): boolean {
  return !path || path === 'body' || /^custom(\.|$)/.test(path)
}

function checkAsset({ assets, expect }: CallSite, node: Call): void {
  const mistake = assetMistake(node, assets ?? [])
  expect(assets !== null, node, 'mails load nothing, so they have no assets.', () => 'Use `brand.logo` for an image.')
  if (assets && mistake) expect(false, node, mistake.message, () => mistake.cure)
}

function checkText({ messageKeys, texts, expect }: CallSite, node: Call): void {
  const [key] = node.params
  if (key?.type !== 'StringLiteral') return
  const text = (key as hbs.AST.StringLiteral).value
  const isKnown = messageKeys?.includes(text) !== false
  expect(isKnown, key, `no text has the key "${text}".`, () => nearest(text, messageKeys ?? []))
  const values = texts.get(text) ?? new Set()
  for (const { key: value } of pairsOf(node)) values.add(value)
  texts.set(text, values)
}

/** The nearest of the known names, else the first of them. */
export function nearest(name: string, known: readonly string[]): string {
  return (
    didYouMean(name, known).trim() || `Known are: ${known.slice(0, 12).join(', ')}${known.length > 12 ? ' …' : ''}.`
  )
}
