/** What a name stands for that a helper has worked out: a text, of which nothing is known. */
export const COMPUTED = '()'

/** Variables by the names that a partial or a block gives them; null if only the host knows which it is. */
export type Aliases = ReadonlyMap<string, string | null>

const NONE: Aliases = new Map()

/** What names refer to at a place in a template: blocks and partials open a new scope. */
export class Scope {
  /**
   * @param path the variable whose members the names are: empty at the top; null if only the host knows the members
   * @param parent what `../` leads to
   * @param parameters what the caller of a partial gives beside the members
   */
  constructor(
    readonly path: string | null,
    private readonly parent: Scope | null = null,
    readonly parameters: Aliases = NONE,
    private readonly blockParams: Aliases = NONE,
  ) {}

  /** The path from the top, such as `site.name` for `name` in `{{#with site}}`; null if only the host knows it. */
  resolve(node: hbs.AST.PathExpression): string | null {
    const parts = node.parts as readonly string[]
    const [first = '', ...rest] = parts
    if (node.data) return first === 'root' ? rest.join('.') : null
    const isOwn = /^(\.|this\b)/.test(node.original)
    const blockParams = isOwn ? undefined : this.blockParamsWith(first)
    if (blockParams) return join(blockParams.get(first), rest)
    const scope = this.above(node.depth)
    if (scope?.parameters.has(first)) return join(scope.parameters.get(first), rest)
    return join(scope?.path, parts)
  }

  /** The scope that as many `../` lead to. */
  above(depth: number): Scope | null {
    return depth === 0 ? this : (this.parent?.above(depth - 1) ?? null)
  }

  /** Inside of a block. Handlebars counts no `../` for one that does not change the context. */
  within(path: string | null, blockParams: Aliases): Scope {
    const isSame = path !== null && path === this.path && blockParams.size === 0
    return isSame ? this : new Scope(path, this, NONE, blockParams)
  }

  /** The same members for a partial of this template, where `../` leads back to here. */
  calledWith(context: Scope): Scope {
    const isSame = context.path === this.path && context.parameters === this.parameters
    return isSame ? this : new Scope(context.path, this, context.parameters)
  }

  /** The paths of all variables that may be named here, as they are written here. */
  namesHere(variables: readonly string[]): readonly string[] {
    const { path } = this
    const members = path
      ? variables.filter((one) => one.startsWith(`${path}.`)).map((one) => one.slice(path.length + 1))
      : variables.filter((one) => !one.includes('[]'))
    return [...this.parameters.keys(), ...members]
  }

  private blockParamsWith(name: string): Aliases | undefined {
    return this.blockParams.has(name) ? this.blockParams : this.parent?.blockParamsWith(name)
  }
}

function join(path: string | null | undefined, parts: readonly string[]): string | null {
  return path === null || path === undefined ? null : [path, ...parts].filter(Boolean).join('.')
}
