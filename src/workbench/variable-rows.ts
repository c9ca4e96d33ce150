import { MAIL_VARIABLES, PAGE_VARIABLES } from '../views/variables.js'
import type { View } from './catalogue.js'

export interface VariableRow {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

const MAX_DEPTH = 5

/** The variables of a context with their values, those of the host's `custom` too. */
export function variableRows(kind: View['kind'], context: object): VariableRow[] {
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
    const hasMembers = typeof value === 'object' && value !== null && !Array.isArray(value) && depth < MAX_DEPTH
    return hasMembers ? flatten(value, `${name}.`, depth + 1) : [[name, shown(value)]]
  })
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return ''
  try {
    return JSON.stringify(value)
  } catch {
    return 'not shown' // a cycle
  }
}
