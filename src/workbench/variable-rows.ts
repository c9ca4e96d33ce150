import { MAIL_VARIABLES, PAGE_VARIABLES } from '../views/variables.js'
import type { Selection } from './selection.js'

export interface VariableRow {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

const MAX_DEPTH = 5

/** The variables of a context with their values, those of the host's `custom` too. */
export function variableRows(kind: Selection['view']['kind'], context: object): VariableRow[] {
  const known = kind === 'mail' ? MAIL_VARIABLES : PAGE_VARIABLES
  return flatten(context, '', 0).map(([name, value]) => ({
    name,
    value,
    meaning: Object.hasOwn(known, name) ? (known[name]?.meaning ?? '').replaceAll('`', '') : 'of your app',
  }))
}

function flatten(context: object, prefix: string, depth: number): [string, string][] {
  return Object.entries(context).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    const name = prefix + key
    const isObject = typeof value === 'object' && value !== null
    if (isObject && !Array.isArray(value) && depth < MAX_DEPTH) return flatten(value, `${name}.`, depth + 1)
    return [[name, isObject ? shown(value) : String(value ?? '')]]
  })
}

function shown(value: object): string {
  try {
    return Array.isArray(value) && value.length === 0 ? '' : JSON.stringify(value)
  } catch {
    return 'an object' // a cycle
  }
}
