import { deepFreeze } from '../deep-freeze.js'

/** By name, with further names in it. */
interface Empty {
  [name: string]: Empty
}

/**
 * What `custom` is on a page that gets nothing from the host: has every name that the templates use, and each prints nothing,
 * is false, and has no items. Handlebars takes an empty array for all of that, and an array may have named members too.
 */
export function emptyCustom(paths: Iterable<readonly string[]>): Readonly<Record<string, unknown>> {
  const root = emptyValue()
  for (const path of paths) {
    let value = root
    for (const name of path) {
      if (name === 'length') break // an array has it
      const known = Object.hasOwn(value, name) ? value[name] : undefined
      value = value[name] = known ?? emptyValue()
    }
  }
  return deepFreeze(root)
}

/** Whether a value stands for one that the host has not given. */
export function isEmptyCustom(value: unknown): boolean {
  return empties.has(value as object)
}

const empties = new WeakSet<object>()

function emptyValue(): Empty {
  const value: unknown[] = []
  empties.add(value)
  return value as unknown as Empty
}
