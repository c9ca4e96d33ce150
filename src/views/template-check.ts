import Handlebars from 'handlebars'
import { OtpError } from '../errors.js'
import { didYouMean } from '../suggest.js'

/** The names that a template may use. */
export interface KnownNames {
  readonly variables: readonly string[]
  readonly partials: readonly string[]
  readonly messageKeys: readonly string[]
}

const HELPERS = ['t', 'if', 'unless', 'each', 'with']

/** What the templates use of the host's. */
export interface UsedNames {
  readonly partials: Set<string>
  /** The paths below `custom`, by their text. */
  readonly custom: Map<string, readonly string[]>
}

/**
 * Parses a template and checks each name in it, so that a mistake is an error at start and not in a mail later. Adds what it
 * uses to `used`.
 * @throws OtpError `invalid_view` with file, line, column and the nearest known name
 */
export function parseTemplate(file: string, source: string, names: KnownNames, used: UsedNames): hbs.AST.Program {
  let ast: hbs.AST.Program
  try {
    ast = Handlebars.parse(source)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const [, line = '1'] = /line (\d+)|(?<=- )(\d+)(?=:)/.exec(reason) ?? []
    throw new OtpError('invalid_view', `views: ${file}:${line}:1: ${reason}`, { cause: error })
  }
  new TemplateNameChecker(file, names, used).accept(ast)
  return ast
}

class TemplateNameChecker extends Handlebars.Visitor {
  #blockDepth = 0

  constructor(
    readonly file: string,
    readonly names: KnownNames,
    readonly used: UsedNames,
  ) {
    super()
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    this.#call(node, 'helper')
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.#call(node, 'helper')
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    this.#call(node, 'block')
    // Inside these blocks names refer to members of the item, which only the host knows.
    const opens = ['each', 'with'].includes(pathName(node.path)) ? 1 : 0
    this.#blockDepth += opens
    this.accept(node.program)
    this.#blockDepth -= opens
    if ((node.inverse as unknown) !== undefined) this.accept(node.inverse)
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    const name = pathName(node.name)
    this.used.partials.add(name)
    if (!this.names.partials.includes(name)) this.#fail(node, `unknown partial "${name}".`, name, this.names.partials)
    this.#arguments(node)
  }

  override PathExpression(node: hbs.AST.PathExpression): void {
    const name = node.original
    const [first, ...rest] = node.parts.slice(node.data ? 1 : 0) // `@root` is the first part
    if (first === 'custom') this.used.custom.set(name, rest)
    if (node.data || node.depth > 0 || this.#blockDepth > 0 || name === 'this' || name.startsWith('custom.')) return
    if (this.names.variables.includes(name)) return
    this.#fail(node, `unknown variable "${name}".`, name, this.names.variables)
  }

  #call(node: hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression, as: string): void {
    const hash = node.hash as hbs.AST.Hash | undefined
    const isCall = as === 'block' || node.params.length > 0 || (hash?.pairs.length ?? 0) > 0
    const name = pathName(node.path)
    if (!isCall) return this.accept(node.path)
    if (!HELPERS.includes(name)) this.#fail(node, `unknown helper "${name}".`, name, HELPERS)
    const [key] = node.params
    if (name === 't' && key?.type === 'StringLiteral') {
      const text = (key as hbs.AST.StringLiteral).value
      if (!this.names.messageKeys.includes(text))
        this.#fail(key, `no text has the key "${text}".`, text, this.names.messageKeys)
    }
    this.#arguments(node)
  }

  #arguments(node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }): void {
    for (const argument of node.params) this.accept(argument)
    for (const pair of node.hash?.pairs ?? []) this.accept(pair.value)
  }

  #fail(node: hbs.AST.Node, reason: string, name: string, known: readonly string[]): never {
    const { line, column } = node.loc.start
    const message = `views: ${this.file}:${line}:${column + 1}: ${reason}${didYouMean(name, known)}`
    throw new OtpError('invalid_view', message)
  }
}

function pathName(path: hbs.AST.PathExpression | hbs.AST.Literal): string {
  return (path as hbs.AST.PathExpression).original
}
