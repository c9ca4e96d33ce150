import { nearest } from './helper-calls.js'
import { NameChecker } from './name-checker.js'
import { type Aliases, Scope } from './scopes.js'
import { isBlank, isInline, isPath, isSubExpression, pairsOf, pathName } from './syntax-tree.js'
import type { Fragment, KnownNames, ParsedTemplate, Reference, TemplateCheck, Visit } from './template-check.js'

type PartialCall = hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement

/** A partial may stand in its own content this often before it is taken for one that never ends. */
const MAX_NESTED = 4
/** Around a file there is nothing that `../` could lead to. */
const NOWHERE = new Scope(null)

/**
 * Checks each name in a page, mail or layout, so that a mistake is an error at start and not in a mail later. Follows it into
 * its partials with what it gives them.
 */
export function checkTemplate(check: TemplateCheck, template: ParsedTemplate, names: KnownNames): void {
  const visit = { template, names, scope: new Scope(''), outside: NOWHERE, inlines: new Map(), block: null }
  new TemplateChecker(check, { ...visit, trail: [template.ast] }).accept(template.ast)
}

/** Follows the partials of a template. */
class TemplateChecker extends NameChecker {
  #inlines = this.visit.inlines
  #outside = this.visit.outside

  override Program(node: hbs.AST.Program): void {
    const outer = this.#inlines
    this.#inlines = this.#withInlinesOf(node, this.#outside)
    super.Program(node)
    this.#inlines = outer
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    const outer = this.#outside
    this.#outside = this.scope
    super.BlockStatement(node)
    this.#outside = outer
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    this.#call(node, null)
  }

  override PartialBlockStatement(node: hbs.AST.PartialBlockStatement): void {
    this.#call(node, node.program)
  }

  override DecoratorBlock(node: hbs.AST.DecoratorBlock): void {
    const message = 'no inline partial is defined here.'
    this.expect(inlineName(node) !== null, node, message, () => 'Write {{#*inline "name"}}…{{/inline}}.')
  }

  override Decorator(node: hbs.AST.Decorator): void {
    this.expect(false, node, 'no decorator is known.', () => 'Inline partials are {{#*inline "name"}}…{{/inline}}.')
  }

  #call(node: PartialCall, content: hbs.AST.Program | null): void {
    this.acceptArguments(node)
    const cure = 'Write its name, such as {{> card}}; if there are several, each in an {{#if …}}.'
    this.expect(!isSubExpression(node.name), node, 'the name of this partial is not fixed.', () => cure)
    const count = node.params.length
    this.expect(count <= 1, node, `this partial has ${count} contexts.`, () => 'Write one, and the rest as name=value.')
    if (isSubExpression(node.name)) return
    const name = pathName(node.name)
    const reference = { ...this.place(node), name }
    this.check.used.partials.push(reference)
    const isBlockOfCaller = name === '@partial-block'
    const shown = isBlockOfCaller ? this.visit.block : this.#inlines.get(name)
    const partials = this.check.partials[this.visit.template.format]
    const templates = shown || isBlockOfCaller ? undefined : partials.get(name)
    const isKnown = isBlockOfCaller || shown !== undefined || templates !== undefined
    this.expect(isKnown, node, `unknown partial "${name}".`, () =>
      nearest(name, [...partials.keys(), ...this.#inlines.keys()]),
    )
    const context = this.#contextOf(node)
    const block = content && this.#contentOf(node, content, templates !== undefined)
    if (shown) this.#show(shown, context, isBlockOfCaller ? null : block, reference)
    else if (block && !templates) this.#show(block, context, null, reference)
    const inlines = content ? this.#withInlinesOf(content, this.scope) : this.#inlines
    for (const template of templates ?? []) {
      this.check.included.add(template)
      const within = { scope: new Scope(context.path, null, context.parameters), outside: NOWHERE, inlines }
      this.#enter(template.ast, { ...this.visit, ...within, template, block: block ?? this.visit.block }, reference)
    }
  }

  /** What the names in a partial belong to: the context that is given, or the same as here; and the parameters. */
  #contextOf(node: PartialCall): Scope {
    const [value] = node.params
    const context = value === undefined ? this.scope : this.#scopeOf(value)
    const parameters = pairsOf(node)
    if (parameters.length === 0) return context
    for (const pair of parameters) {
      const isFree = !this.check.hostHelpers.includes(pair.key)
      this.expect(isFree, pair, `"${pair.key}" is the name of a helper.`, () => 'Give the parameter another name.')
    }
    for (const { key } of parameters) this.check.used.parameters.add(key)
    const aliases = parameters.map(({ key, value: given }) => [key, this.pathOf(given)] as const)
    return new Scope(context.path, null, new Map([...context.parameters, ...aliases]) satisfies Aliases)
  }

  #scopeOf(value: hbs.AST.Expression): Scope {
    const isWhole = isPath(value) && value.parts.length === 0 && !value.data // `this` and `..`, which have parameters too
    return (isWhole ? this.scope.above(value.depth) : null) ?? new Scope(this.pathOf(value))
  }

  #contentOf(node: PartialCall, program: hbs.AST.Program, isForFile: boolean): Fragment {
    const message = 'the partial does not show what stands in it here.'
    const expectShown = (isShown: boolean): void => {
      this.check.usage.expect(isShown, this.place(node), message, () => 'Write {{> @partial-block}} in the partial.')
    }
    if (isForFile && !isBlank(program)) expectShown(false)
    return { program, visit: this.#visitHere(), markUsed: () => void expectShown(true) }
  }

  /** The inline partials of a block and those around it. In its own ones `../` leads to what is outside of the block. */
  #withInlinesOf({ body }: hbs.AST.Program, outside: Scope): ReadonlyMap<string, Fragment> {
    const own = body.filter(isInline)
    if (own.length === 0) return this.#inlines
    const inlines = new Map(this.#inlines)
    const visit = { ...this.#visitHere(), scope: outside, inlines }
    for (const node of own) {
      const name = inlineName(node) ?? ''
      const expectUsed = (isUsed: boolean): void => {
        const cure = `Write {{> ${name}}} where it belongs, or delete it.`
        this.check.usage.expect(isUsed, this.place(node), `nothing uses the inline partial "${name}".`, () => cure)
      }
      if (name !== '') expectUsed(false)
      inlines.set(name, { program: node.program, visit, markUsed: () => void expectUsed(true) })
    }
    return inlines
  }

  #visitHere(): Visit {
    return { ...this.visit, scope: this.scope, inlines: this.#inlines }
  }

  #show({ program, visit, markUsed }: Fragment, context: Scope, block: Fragment | null, from: Reference): void {
    markUsed()
    const { trail } = this.visit
    this.#enter(
      program,
      { ...visit, scope: visit.scope.calledWith(context), outside: visit.scope, block: block ?? visit.block, trail },
      from,
    )
  }

  #enter(program: hbs.AST.Program, visit: Visit, reference: Reference): void {
    const trail = [...visit.trail, program]
    if (trail.filter((one) => one === program).length <= MAX_NESTED) {
      return new TemplateChecker(this.check, { ...visit, trail }).accept(program)
    }
    this.check.used.recursions.push(reference)
    visit.block?.markUsed()
  }
}

function inlineName(node: hbs.AST.DecoratorBlock): string | null {
  const [name] = node.params
  return isInline(node) && name?.type === 'StringLiteral' ? (name as hbs.AST.StringLiteral).value : null
}
