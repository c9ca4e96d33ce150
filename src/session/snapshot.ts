import type { HostSession } from './host-session.js'

/** The properties of a session as JSON by name, for comparisons. */
export type SessionSnapshot = ReadonlyMap<string, string>

const OF_MIDDLEWARE = ['cookie', '__proto__']

/** @param except names to leave out */
export function snapshotOf(session: HostSession, ...except: readonly string[]): SessionSnapshot {
  const entries = Object.entries(session).filter(([name]) => !OF_MIDDLEWARE.includes(name) && !except.includes(name))
  return new Map(entries.map(([name, value]) => [name, JSON.stringify(value)]))
}

/** The names of the properties that were added, changed or removed. */
export function changedNames(before: SessionSnapshot, after: SessionSnapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name))
}

/** Copies the properties with these names. Those that `from` has not are removed. */
export function copyProperties(from: HostSession, to: HostSession, names: Iterable<string>): void {
  for (const name of names) {
    if (Object.hasOwn(from, name)) to[name] = from[name]
    else Reflect.deleteProperty(to, name)
  }
}
