/** A tag that may call a helper. */
export type Call = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression

export function isCall(node: Call): boolean {
  return node.params.length > 0 || pairsOf(node).length > 0
}

export function isPath(node: hbs.AST.Node | undefined): node is hbs.AST.PathExpression {
  return node?.type === 'PathExpression'
}

export function pairsOf({ hash }: { hash?: hbs.AST.Hash | undefined }): hbs.AST.HashPair[] {
  return hash?.pairs ?? []
}

export function pathName(path: hbs.AST.PathExpression | hbs.AST.Literal): string {
  return String((path as { original?: unknown }).original)
}

export function isSubExpression(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression'
}

/** All that is given to a helper or a partial, positional values first. */
export function argumentsOf(node: { params: hbs.AST.Expression[]; hash?: hbs.AST.Hash }): hbs.AST.Expression[] {
  return [...node.params, ...pairsOf(node).map(({ value }) => value)]
}

/** `{{#*inline "name"}}` */
export function isInline(node: hbs.AST.Node): node is hbs.AST.DecoratorBlock {
  return node.type === 'DecoratorBlock' && pathName((node as hbs.AST.DecoratorBlock).path) === 'inline'
}

/** Whether a block has nothing to show of its own, such as one that only defines inline partials. */
export function isBlank({ body }: hbs.AST.Program): boolean {
  return body.every((node) => {
    if (node.type === 'ContentStatement') return (node as hbs.AST.ContentStatement).value.trim() === ''
    return node.type === 'CommentStatement' || isInline(node)
  })
}
