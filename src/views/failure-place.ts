import Handlebars from 'handlebars'

/** A compiled template, and the file that it is from. */
export type Template = Handlebars.TemplateDelegate & { readonly file: string }

/** Where the rendering of a template failed. */
export interface FailurePlace {
  readonly file: string
  /** From 1, and 1 if they are not known. */
  readonly line: number
  readonly column: number
}

const tags = new WeakMap<object, FailurePlace>()
const places = new WeakMap<object, FailurePlace>()

/** Keeps the place of the tag that threw. */
export function noteTag(error: unknown, { loc }: Handlebars.HelperOptions & { loc?: hbs.AST.SourceLocation }): void {
  if (isObject(error) && loc) tags.set(error, { file: loc.source, line: loc.start.line, column: loc.start.column + 1 })
}

/** The decorator that `markFragments` puts in front of fragments. */
export function place(
  fragment: Handlebars.TemplateDelegate,
  _props: object,
  _container: object,
  { loc }: { loc: hbs.AST.SourceLocation },
): Template {
  return withPlace(loc.source, fragment)
}

/** Lets inline partials and the content of partial blocks keep their file, since they are rendered within another one. */
export function markFragments(template: hbs.AST.Program): void {
  new FragmentMarker().accept(template)
}

class FragmentMarker extends Handlebars.Visitor {
  override PartialBlockStatement(node: hbs.AST.PartialBlockStatement): void {
    super.PartialBlockStatement(node)
    mark(node.program)
  }

  override DecoratorBlock(node: hbs.AST.DecoratorBlock): void {
    super.DecoratorBlock(node)
    mark(node.program)
  }
}

function mark({ body, loc }: hbs.AST.Program): void {
  const path = { type: 'PathExpression', data: false, depth: 0, parts: ['place'], original: 'place', loc }
  const strip = { open: false, close: false }
  body.unshift({ type: 'Decorator', path, params: [], hash: undefined, escaped: true, strip, loc } as hbs.AST.Statement)
}

/** A template that keeps which file it was that threw: a partial, and not the template that uses it. */
export function withPlace(file: string, template: Handlebars.TemplateDelegate): Template {
  const render: Handlebars.TemplateDelegate = (context, options) => {
    try {
      return template(context, options)
    } catch (error) {
      if (isObject(error) && !places.has(error)) places.set(error, { file, ...(tags.get(error) ?? placeIn(error)) })
      throw error
    }
  }
  return Object.assign(render, { file })
}

export function failurePlace(error: unknown): FailurePlace | undefined {
  return isObject(error) ? places.get(error) : undefined
}

/** Handlebars tells the line from 1 and the column from 0, if it knows them. */
function placeIn(error: object): { line: number; column: number } {
  const { lineNumber = 1, column = 0 } = error as { lineNumber?: number; column?: number }
  return { line: lineNumber, column: column + 1 }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
