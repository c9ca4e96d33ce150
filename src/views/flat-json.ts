import type { ViewIssue } from '../errors.js'
import { placeAt } from './issues.js'

/** A text and the place of its key. */
export interface TextEntry {
  readonly key: string
  readonly text: string
  readonly line: number
  readonly column: number
}

type Problem = Omit<ViewIssue, 'file'>

const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const OTHER_VALUE = /-?\d[\d.eE+-]*|true|false|null/y

/**
 * Reads JSON with one level of texts, and knows where everything stands: the messages of `JSON.parse` have a place in some
 * versions of Node only.
 */
export function readTexts(source: string, report: (problem: Problem) => void): TextEntry[] {
  const entries: TextEntry[] = []
  let offset = 0
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = offset
    const [match = ''] = pattern.exec(source) ?? []
    offset += match.length
    return match
  }
  const next = (): string => {
    take(SPACE)
    return source[offset] ?? ''
  }
  const fail = (message: string, cure: string, at = offset): TextEntry[] => {
    report({ ...placeAt(source, at), message, cure })
    return entries
  }

  if (next() !== '{') return fail('is not a JSON object of texts.', 'Write { "key": "text" }.')
  offset++
  if (next() === '}') offset++
  else
    for (;;) {
      next()
      const start = offset
      const key = take(STRING)
      if (!key) return fail(...missing(next(), 'a key'))
      if (next() !== ':') return fail('is no JSON: a colon is missing.', `Write : after ${key}.`)
      offset++
      next()
      const valueStart = offset
      const value = take(STRING)
      const name = JSON.parse(key) as string
      if (value) entries.push({ key: name, text: JSON.parse(value) as string, ...placeAt(source, start) })
      else if (/[[{]/.test(next()) || take(OTHER_VALUE)) {
        fail(`the text of "${name}" is not a string.`, nestedCure(name), valueStart)
        if (offset === valueStart) return entries
      } else return fail(...missing(next(), 'a text'))
      const separator = next()
      if (separator !== ',' && separator !== '}')
        return fail(
          'is no JSON: a comma is missing.',
          separator ? 'Write , after the text before.' : 'Write } at the end.',
        )
      offset++
      if (separator === '}') break
      if (next() === '}') return fail('is no JSON: a comma stands before }.', 'Delete the last comma.')
    }
  return next() ? fail('is no JSON: something stands after the end.', 'Delete what follows the last }.') : entries
}

/** What is wrong with a string that is not there. */
function missing(found: string, what: string): [message: string, cure: string] {
  if (found === '') return [`is no JSON: the file ends where ${what} is expected.`, `Write ${what} and } at the end.`]
  if (found === "'") return ['is no JSON: single quotes.', 'Write double quotes.']
  if (found === '/') return ['is no JSON: it has a comment.', 'Delete the comment.']
  const reason = 'it is not closed, or has a line break or a backslash'
  if (found === '"')
    return [`is no JSON: ${what} is broken: ${reason}.`, 'Write \\n for a line break, and \\\\ for a backslash.']
  return [`is no JSON: ${what} is expected here.`, 'Write it in double quotes.']
}

function nestedCure(key: string): string {
  return `Write "${key}": "text". Keys are flat, such as "send.title".`
}
