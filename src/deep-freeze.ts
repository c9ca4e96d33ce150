/** Freezes an object and all that is in it. */
export function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const member of Object.values(value) as unknown[]) {
    if (typeof member === 'object' && member !== null) deepFreeze(member)
  }
  return Object.freeze(value)
}
