import Handlebars from 'handlebars'
import { type CallSite, callsHelper, checkBlock, checkHelper, checkUnescaped } from './helper-calls.js'
import { cureForVariable } from './nearest-name.js'
import type { Scope } from './scopes.js'
import { COMPUTED } from './scopes.js'
import { argumentsOf, isPath, isSubExpression, pathName } from './syntax-tree.js'
import type { TemplateCheck, Visit } from './template-check.js'
import type { Place } from './verdicts.js'

/** Checks the names of variables, helpers and blocks in a template. */
export class NameChecker extends Handlebars.Visitor {
  /** What names belong to at the node that is being visited. */
  protected scope: Scope

  constructor(
    protected readonly check: TemplateCheck,
    protected readonly visit: Visit,
  ) {
    super()
    this.scope = visit.scope
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    const site = this.#site()
    checkUnescaped(site, node)
    if (callsHelper(site, node)) {
      checkHelper(site, node)
      this.acceptArguments(node)
      return
    }
    this.accept(node.path)
    if (isPath(node.path)) this.#printed(node.path)
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    checkHelper(this.#site(), node)
    this.acceptArguments(node)
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    checkBlock(this.#site(), node)
    this.acceptArguments(node)
    const name = pathName(node.path)
    const outer = this.scope
    if (name === 'each' || name === 'with') this.scope = this.#opened(node, name)
    this.accept(node.program)
    this.scope = outer
    this.accept(node.inverse)
  }

  override PathExpression(node: hbs.AST.PathExpression): void {
    const path = this.scope.resolve(node)
    const { variables } = this.visit.names
    if (path !== null && isCustom(path)) {
      this.check.used.custom.push({ ...this.place(node), name: path, path: path.split('.').slice(1) })
    }
    this.expect(
      path === null || path === '' || this.isKnown(path),
      node,
      `unknown variable "${node.original}".`,
      () => {
        if (this.check.hostHelpers.includes(node.original)) return `It is a helper: write (${node.original}).`
        return cureForVariable(
          node.data ? (path ?? '') : node.original,
          node.data ? variables : this.scope.namesHere(variables),
        )
      },
    )
  }

  protected acceptArguments(node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }): void {
    for (const value of argumentsOf(node)) this.accept(value)
  }

  protected isKnown(path: string): boolean {
    return (
      isCustom(path) || path.startsWith(COMPUTED) || path.endsWith('[]') || this.visit.names.variables.includes(path)
    )
  }

  /** The variable that a value is; null if only the host knows it, or there is none. */
  protected pathOf(value: hbs.AST.Expression | undefined): string | null {
    if (value && isSubExpression(value)) return COMPUTED
    const path = isPath(value) ? this.scope.resolve(value) : null
    return path !== null && (path === '' || this.isKnown(path)) ? path : null
  }

  protected place({ loc }: hbs.AST.Node): Place {
    return { file: this.visit.template.file, line: loc.start.line, column: loc.start.column + 1 }
  }

  protected expect(isSound: boolean, node: hbs.AST.Node, message: string, cure: () => string): void {
    this.check.names.expect(isSound, this.place(node), message, cure)
  }

  /** What the names inside of the block belong to. */
  #opened(node: hbs.AST.BlockStatement, helper: 'each' | 'with'): Scope {
    const path = helper === 'with' ? this.#insideOfWith(node) : this.#itemOf(node)
    const names = (node.program as hbs.AST.Program | undefined)?.blockParams ?? []
    return this.scope.within(path, new Map(names.map((name, i) => [name, i === 0 ? path : null])))
  }

  #insideOfWith({ params: [value] }: hbs.AST.BlockStatement): string | null {
    const path = this.pathOf(value)
    return path !== null && isCustom(path) ? null : path
  }

  /** Only items of `custom` may be HTML, so those of everything else are computed. */
  #itemOf({ params: [value] }: hbs.AST.BlockStatement): string | null {
    const path = this.pathOf(value)
    if (path === null || isCustom(path)) return null
    if (!isPath(value) || path === '' || path.startsWith(COMPUTED)) return COMPUTED
    const cure = path === 'code' ? 'Write {{code}}, and space its digits with `letter-spacing`.' : `Write {{${path}}}.`
    const isList = this.visit.names.objects.includes(path)
    this.expect(isList, value, `"${value.original}" is a text and has no items.`, () => cure)
    return path === 'fields' ? 'fields[]' : COMPUTED
  }

  #printed(node: hbs.AST.PathExpression): void {
    const path = this.scope.resolve(node) ?? ''
    const { objects, variables } = this.visit.names
    const isText = !objects.includes(path) && !path.endsWith('[]')
    this.expect(isText, node, `"${node.original}" is no text, and would print [object Object].`, () => {
      const members = variables.filter((one) => one.startsWith(`${path}.`))
      return `Write one of its members: ${members.join(', ') || `${path}.…`}.`
    })
  }

  #site(): CallSite {
    const { hostHelpers, messageKeys, used } = this.check
    return {
      scope: this.scope,
      isHtml: this.visit.template.format === 'html',
      hostHelpers,
      messageKeys,
      assets: this.visit.names.assets,
      texts: used.texts,
      expect: (isSound, node, message, cure) => {
        this.expect(isSound, node, message, cure)
      },
    }
  }
}

export function isCustom(path: string): boolean {
  return /^custom(\.|$)/.test(path)
}
