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
  return (path as hbs.AST.PathExpression).original
}
