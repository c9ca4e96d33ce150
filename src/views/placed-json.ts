import type { ViewIssue } from '../errors.js'
import { placeAt } from './issues.js'

type Place = Pick<ViewIssue, 'line' | 'column'>

/** A JSON value, and where the members of its objects stand. */
export interface PlacedJson {
  readonly value: unknown
  /** By path, such as `recipient.name`; the beginning of the file if it is not there. */
  readonly placeOf: (path: string) => Place
}

const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const OTHER_VALUE = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** Reads JSON and keeps places: the messages of `JSON.parse` have one in some versions of Node only. Null after a report. */
export function readPlacedJson(
  source: string,
  report: (issue: Place & Pick<ViewIssue, 'message' | 'cure'>) => void,
): PlacedJson | null {
  const reader = new PlaceReader(source)
  if (!reader.isJson()) {
    const found = source.slice(reader.offset, reader.offset + 1)
    const message = found
      ? `is no JSON: ${JSON.stringify(found)} cannot stand here.`
      : 'is no JSON: its end is missing.'
    const cure = 'Write { "name": "value" }: double quotes, commas between, no comments.'
    report({ ...placeAt(source, reader.offset), message, cure })
    return null
  }
  return { value: JSON.parse(source), placeOf: (path) => placeAt(source, reader.places.get(path) ?? 0) }
}

class PlaceReader {
  readonly places = new Map<string, number>()
  /** Where reading stopped. */
  offset = 0

  constructor(readonly source: string) {}

  isJson(): boolean {
    return this.#value('') && this.offset === this.source.length
  }

  #value(path: string): boolean {
    this.#take(SPACE)
    const isValue =
      this.#take(/\{/y) !== ''
        ? this.#list(/\}/y, () => this.#member(path))
        : this.#take(/\[/y) !== ''
          ? this.#list(/\]/y, () => this.#value(`${path}[]`))
          : this.#take(STRING) !== '' || this.#take(OTHER_VALUE) !== ''
    this.#take(SPACE)
    return isValue
  }

  #member(path: string): boolean {
    this.#take(SPACE)
    const start = this.offset
    const key = this.#take(STRING)
    if (key === '') return false
    const name = `${path && `${path}.`}${String(JSON.parse(key))}`
    this.places.set(name, start)
    this.#take(SPACE)
    return this.#take(/:/y) !== '' && this.#value(name)
  }

  #list(end: RegExp, item: () => boolean): boolean {
    this.#take(SPACE)
    if (this.#take(end) !== '') return true
    do if (!item()) return false
    while (this.#take(/,/y) !== '')
    return this.#take(end) !== ''
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.offset
    const [match = ''] = pattern.exec(this.source) ?? []
    this.offset += match.length
    return match
  }
}
