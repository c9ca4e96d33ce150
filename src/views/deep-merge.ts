type Values = Readonly<Record<string, unknown>>

/** `values` over `base`, member by member in objects within objects. Neither is modified; lists are replaced as a whole. */
export function deepMerge<T extends object>(base: T, values: Values): T {
  const merged = { ...base } as Record<string, unknown>
  for (const [name, value] of Object.entries(values)) {
    const below = Object.hasOwn(merged, name) ? merged[name] : undefined
    const isNested = isPlain(value) && typeof below === 'object' && below !== null
    // Defined, not assigned: `__proto__` of a JSON file is a name like any other.
    Object.defineProperty(merged, name, {
      value: isNested ? deepMerge(below, value) : value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return merged as T
}

function isPlain(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
