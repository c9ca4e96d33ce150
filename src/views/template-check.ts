import type { Format } from './locale-views.js'
import type { Scope } from './scopes.js'
import type { Place, Verdicts } from './verdicts.js'

/** The variables of pages or of mails. */
export interface KnownNames {
  readonly variables: readonly string[]
  /** Those of the variables that have members, or are a list. */
  readonly objects: readonly string[]
  /** Null in mails, which load nothing. */
  readonly assets: readonly string[] | null
}

/** A name in a template. */
export interface Reference extends Place {
  readonly name: string
}

/** What the templates use. */
export interface UsedNames {
  readonly partials: Reference[]
  /** Inclusions of a partial within itself. */
  readonly recursions: Reference[]
  /** Names of the parameters that partials get. */
  readonly parameters: Set<string>
  /** Below `custom`. */
  readonly custom: (Reference & { readonly path: readonly string[] })[]
  /** The names of the values that come with a text, by its key. */
  readonly texts: Map<string, Set<string>>
}

export interface ParsedTemplate {
  readonly file: string
  readonly format: Format
  readonly ast: hbs.AST.Program
}

/** What all templates are checked with. */
export interface TemplateCheck {
  /** By name. */
  readonly partials: Readonly<Record<Format, ReadonlyMap<string, readonly ParsedTemplate[]>>>
  readonly hostHelpers: readonly string[]
  /** Null if a text file cannot be read, and so not all are known. */
  readonly messageKeys: readonly string[] | null
  readonly used: UsedNames
  /** Partials that a template has included. */
  readonly included: Set<ParsedTemplate>
  readonly names: Verdicts
  /** Whether what is defined is used, which is known if all files can be parsed. */
  readonly usage: Verdicts
}

/** How a template, or a part of it, is reached. */
export interface Visit {
  readonly template: Pick<ParsedTemplate, 'file' | 'format'>
  readonly names: KnownNames
  readonly scope: Scope
  /** What was around the part when its template was entered. */
  readonly outside: Scope
  readonly inlines: ReadonlyMap<string, Fragment>
  /** What `{{> @partial-block}}` shows. */
  readonly block: Fragment | null
  /** The programs around it, so that a partial that includes itself is visited once. */
  readonly trail: readonly hbs.AST.Program[]
}

/** An inline partial, or the content of a partial block: the partial that shows it may be in another file. */
export interface Fragment {
  readonly program: hbs.AST.Program
  readonly visit: Visit
  readonly markUsed: () => void
}
