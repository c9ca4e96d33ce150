import { OtpError, type ViewIssue } from '../errors.js'

/** Takes a mistake and lets the check go on, so that one start tells all of them. */
export type Report = (issue: ViewIssue) => void

const MAX_LISTED = 10

/** In the order of files and lines. @throws OtpError `invalid_view` if there are any */
export function throwIssues(issues: readonly ViewIssue[]): void {
  const byPlace = new Map([...issues].sort(byFileAndLine).map((one) => [describe(one), one]))
  if (byPlace.size === 0) return
  const lines = [...byPlace.keys()]
  const more = lines.length > MAX_LISTED ? [`and ${lines.length - MAX_LISTED} more`] : []
  const list = [...lines.slice(0, MAX_LISTED), ...more]
  const message =
    lines.length === 1 ? `views: ${list.join('')}` : `views: ${lines.length} mistakes.\n${list.join('\n')}`
  throw new OtpError('invalid_view', message, { issues: [...byPlace.values()] })
}

/** Line and column of a place in a text. */
export function placeAt(source: string, offset: number): Pick<ViewIssue, 'line' | 'column'> {
  const before = source.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function byFileAndLine(a: ViewIssue, b: ViewIssue): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1
}

function describe({ file, line, column, message, cure }: ViewIssue): string {
  return `${file}:${line}:${column}: ${message} ${cure}`
}
