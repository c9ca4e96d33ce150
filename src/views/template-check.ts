import Handlebars from 'handlebars'
import { didYouMean } from '../suggest.js'
import { assetMistake } from './asset-url.js'
import type { Report } from './issues.js'
import { cureForVariable } from './nearest-name.js'
import { Scopes } from './scopes.js'
import { explainSyntax } from './syntax-error.js'
import { type Call, isCall, isPath, pairsOf, pathName } from './syntax-tree.js'

/** The names that a template may use. */
export interface KnownNames {
  readonly variables: readonly string[]
  /** Those of the variables that have members, or are a list. */
  readonly objects: readonly string[]
  readonly partials: readonly string[]
  /** Null if a text file cannot be read, and so not all are known. */
  readonly messageKeys: readonly string[] | null
  /** Null in what only mails use, which load nothing. */
  readonly assets: readonly string[] | null
  readonly isHtml: boolean
}

const HELPERS = ['t', 'asset', 'if', 'unless', 'each', 'with']

/** A name in a template. */
export interface Reference {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly name: string
}

/** What the templates use. */
export interface UsedNames {
  readonly partials: Reference[]
  /** Below `custom`. */
  readonly custom: (Reference & { readonly path: readonly string[] })[]
  /** The names of the values that come with a text, by its key. */
  readonly texts: Map<string, Set<string>>
}

/**
 * Parses a template and checks each name in it, so that a mistake is an error at start and not in a mail later. Adds what it
 * uses to `used`. Gives null if it cannot be parsed.
 */
export function parseTemplate(
  file: string,
  source: string,
  names: KnownNames,
  used: UsedNames,
  report: Report,
): hbs.AST.Program | null {
  try {
    const ast = Handlebars.parse(source)
    new TemplateNameChecker(file, names, used, report).accept(ast)
    return ast
  } catch (error) {
    report({ file, ...explainSyntax(source, error) })
    return null
  }
}

class TemplateNameChecker extends Handlebars.Visitor {
  readonly #scopes = new Scopes()

  constructor(
    readonly file: string,
    readonly names: KnownNames,
    readonly used: UsedNames,
    readonly report: Report,
  ) {
    super()
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    this.#call(node, 'helper')
    if (!node.escaped && this.names.isHtml) this.#unescaped(node)
    if (!isCall(node) && isPath(node.path)) this.#printed(node.path)
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.#call(node, 'helper')
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    this.#call(node, 'block')
    const name = pathName(node.path)
    if (HELPERS.includes(name) && name !== 't' && node.params.length !== 1) {
      this.#issue(node, `{{#${name}}} has ${node.params.length} values.`, `Write one: {{#${name} variable}}.`)
    }
    const program = node.program as hbs.AST.Program | undefined
    const act = (): void => {
      if (program) this.accept(program)
    }
    // Inside these blocks names refer to members of the value.
    if (name === 'each' || name === 'with')
      this.#scopes.within(this.#opened(node, name), program?.blockParams ?? [], act)
    else act()
    if ((node.inverse as unknown) !== undefined) this.accept(node.inverse)
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    const name = pathName(node.name)
    this.used.partials.push({ ...this.#place(node), name })
    if (!this.names.partials.includes(name)) {
      this.#issue(node, `unknown partial "${name}".`, nearest(name, this.names.partials))
    }
    this.#arguments(node)
  }

  override PathExpression(node: hbs.AST.PathExpression): void {
    const path = this.#scopes.resolve(node)
    if (path === null || path === '') return
    const [first, ...rest] = path.split('.')
    if (first === 'custom') this.used.custom.push({ ...this.#place(node), name: path, path: rest })
    if (first === 'custom' || this.names.variables.includes(path)) return
    const isFromTop = node.data
    const known = isFromTop ? this.names.variables : this.#scopes.namesHere(this.names.variables)
    const cure = cureForVariable(isFromTop ? path : node.original, known)
    this.#issue(node, `unknown variable "${node.original}".`, cure)
  }

  #call(node: Call, as: 'helper' | 'block'): void {
    const name = pathName(node.path)
    if (as === 'helper' && !isCall(node)) return this.accept(node.path)
    if (!HELPERS.includes(name)) this.#issue(node, `unknown helper "${name}".`, nearest(name, HELPERS))
    const mistake = name === 'asset' ? assetMistake(node, this.names.assets) : null
    if (mistake) this.#issue(node, mistake.message, mistake.cure)
    const [key] = node.params
    if (name === 't' && key?.type === 'StringLiteral') {
      const text = (key as hbs.AST.StringLiteral).value
      const { messageKeys } = this.names
      if (messageKeys?.includes(text) === false)
        this.#issue(key, `no text has the key "${text}".`, nearest(text, messageKeys))
      const values = this.used.texts.get(text) ?? new Set()
      for (const { key: value } of pairsOf(node)) values.add(value)
      this.used.texts.set(text, values)
    }
    this.#arguments(node)
  }

  #arguments(node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }): void {
    for (const argument of node.params) this.accept(argument)
    for (const pair of pairsOf(node)) this.accept(pair.value)
  }

  /** What the names inside of the block belong to. */
  #opened({ params: [value] }: hbs.AST.BlockStatement, helper: string): string | null {
    if (!isPath(value)) return null
    const path = this.#scopes.resolve(value)
    const { objects, variables } = this.names
    if (path === null || path === '' || path.startsWith('custom') || !variables.includes(path)) return null
    if (helper === 'each' && !objects.includes(path)) {
      const cure =
        path === 'code' ? 'Write {{code}}, and space its digits with `letter-spacing`.' : `Write {{${path}}}.`
      this.#issue(value, `"${value.original}" is a text and has no items.`, cure)
    }
    if (helper === 'each') return path === 'fields' ? 'fields[]' : null
    return objects.includes(path) ? path : null
  }

  #printed(node: hbs.AST.PathExpression): void {
    const path = this.#scopes.resolve(node)
    if (path === null || !this.names.objects.includes(path)) return
    const members = this.names.variables.filter((one) => one.startsWith(`${path}.`))
    const cure = `Write one of its members: ${members.join(', ') || `${path}.…`}.`
    this.#issue(node, `"${node.original}" is no text, and would print [object Object].`, cure)
  }

  /** What comes from a visitor or from a name would reach the page as HTML. */
  #unescaped(node: hbs.AST.MustacheStatement): void {
    const values = isCall(node) ? [...node.params, ...pairsOf(node).map(({ value }) => value)] : [node.path]
    for (const value of values.filter(isPath)) {
      const path = this.#scopes.resolve(value)
      if (!path || path === 'body' || /^custom(\.|$)/.test(path)) continue
      const cure = 'Write two braces. Only `body` and `custom.…` may have three.'
      this.#issue(node, `"${value.original}" would reach the HTML unescaped.`, cure)
    }
  }

  #issue(node: hbs.AST.Node, message: string, cure: string): void {
    this.report({ ...this.#place(node), message, cure })
  }

  #place({ loc }: hbs.AST.Node): Omit<Reference, 'name'> {
    return { file: this.file, line: loc.start.line, column: loc.start.column + 1 }
  }
}

function nearest(name: string, known: readonly string[]): string {
  return (
    didYouMean(name, known).trim() || `Known are: ${known.slice(0, 12).join(', ')}${known.length > 12 ? ' …' : ''}.`
  )
}
