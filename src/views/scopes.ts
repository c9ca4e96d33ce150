/** What names refer to at a place in a template. */
interface Scope {
  /** The variable whose members they are: empty at the top; null if only the host knows the members. */
  readonly path: string | null
  readonly blockParams: readonly string[]
}

const ROOT: Scope = { path: '', blockParams: [] }

/** The blocks around a place in a template, `{{#with}}` and `{{#each}}`. */
export class Scopes {
  readonly #scopes: Scope[] = [ROOT]

  /** The path from the top, such as `site.name` for `name` in `{{#with site}}`; null if only the host knows it. */
  resolve(node: hbs.AST.PathExpression): string | null {
    const parts = node.parts as readonly string[]
    if (node.data) return parts[0] === 'root' ? parts.slice(1).join('.') : null
    const isOwn = /^(\.|this\b)/.test(node.original)
    if (!isOwn && this.#scopes.some(({ blockParams }) => blockParams.includes(parts[0] ?? ''))) return null
    const path = this.#scopes.at(-1 - node.depth)?.path ?? null
    return path === null ? null : [path, ...parts].filter(Boolean).join('.')
  }

  /** The paths of all variables that may be named here, as they are written here. */
  namesHere(variables: readonly string[]): readonly string[] {
    const prefix = this.#scopes.at(-1)?.path
    if (!prefix) return variables.filter((one) => !one.includes('[]'))
    return variables.filter((one) => one.startsWith(`${prefix}.`)).map((one) => one.slice(prefix.length + 1))
  }

  within(path: string | null, blockParams: readonly string[], act: () => void): void {
    // Handlebars counts no `../` for a block that does not change the context.
    const isSame = path !== null && path === this.#scopes.at(-1)?.path
    if (isSame && blockParams.length === 0) {
      act()
      return
    }
    this.#scopes.push({ path, blockParams })
    act()
    this.#scopes.pop()
  }
}
