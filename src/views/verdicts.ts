import type { ViewIssue } from '../errors.js'
import type { Report } from './issues.js'

/** A place in a template. */
export type Place = Pick<ViewIssue, 'file' | 'line' | 'column'>

/**
 * Collects what is right and what is not. A partial is checked once for each of its callers, and a name in it is a mistake
 * only if none of them gives it: so a mistake is told if nothing was right at its place.
 */
export class Verdicts {
  readonly #sound = new Set<string>()
  readonly #issues = new Map<string, ViewIssue>()

  expect(isSound: boolean, place: Place, message: string, cure: () => string): void {
    const key = `${place.file}:${place.line}:${place.column} ${message}`
    if (isSound) this.#sound.add(key)
    else if (!this.#issues.has(key)) this.#issues.set(key, { ...place, message, cure: cure() })
  }

  reportTo(report: Report): void {
    for (const [key, issue] of this.#issues) if (!this.#sound.has(key)) report(issue)
  }
}
