import { unkeyedHash } from '../crypto/keys.js'

const MAX_KEPT = 20

/** What the developer typed as JSON to be merged over a sample. It is kept here, since it is too long for the URL of a frame. */
export class TypedValues {
  readonly #texts = new Map<string, string>()

  /** @returns an id for URLs */
  keep(text: string): string {
    const id = unkeyedHash(text)
    this.#texts.delete(id)
    this.#texts.set(id, text)
    const [oldest] = this.#texts.keys()
    if (this.#texts.size > MAX_KEPT && oldest !== undefined) this.#texts.delete(oldest)
    return id
  }

  /** As it was typed; empty if it is not kept. */
  textOf(id: string): string {
    return this.#texts.get(id) ?? ''
  }
}

/** The values in a text. @throws SyntaxError that says where it is no JSON, or that it is no object */
export function parseValues(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  const values: unknown = JSON.parse(text)
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return values as Record<string, unknown>
  throw new SyntaxError('The values are no object: write { "purposeText": "…" }.')
}
