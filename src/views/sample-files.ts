import path from 'node:path'
import type { ViewIssue } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { readView, type ViewFile } from './files.js'
import type { Report } from './issues.js'
import { type PlacedJson, readPlacedJson } from './placed-json.js'
import type { HostSample } from './samples.js'

type Issue = Omit<ViewIssue, 'file'>

interface Kind {
  readonly fits: (value: unknown) => boolean
  readonly cure: string
}

const TEXT: Kind = { fits: (value) => typeof value === 'string', cure: 'Write a text in double quotes.' }
const OBJECT: Kind = { fits: isObject, cure: 'Write an object: { "name": "value" }.' }
const CODE: Kind = {
  fits: (value) => typeof value === 'string' && /^[0-9A-Za-z](?:-?[0-9A-Za-z]){3,31}$/.test(value),
  cure: 'Write a text such as "482915": digits, letters and dashes.',
}

/** What a file may have: members that replace those of the sample `typical`. */
const MEMBERS: Readonly<Record<string, Kind>> = {
  purposeText: TEXT,
  recipient: OBJECT,
  'recipient.name': TEXT,
  'recipient.masked': TEXT,
  code: CODE,
  custom: OBJECT,
}

/** Reads the files in `samples/`. Of two with the same name, that of the first folder counts. */
export function loadSamples(filesByFolder: readonly (readonly ViewFile[])[], report: Report): HostSample[] {
  const files = filesByFolder.flat().filter(({ stem }) => stem.startsWith('samples/'))
  const fileByName = new Map(files.toReversed().map(({ stem, absolute }) => [path.basename(stem, '.json'), absolute]))
  return [...fileByName].flatMap(([name, file]) => {
    const reportHere = (issue: Issue): void => {
      report({ file, ...issue })
    }
    const source = readView(file, report)
    const json = source === null ? null : readPlacedJson(source, reportHere)
    if (!json) return []
    const mistakes = mistakesIn(json)
    mistakes.forEach(reportHere)
    return mistakes.length > 0 ? [] : [{ name, values: json.value as HostSample['values'] }]
  })
}

function mistakesIn({ value, placeOf }: PlacedJson): Issue[] {
  if (!isObject(value)) return [{ ...placeOf(''), message: 'is no sample.', cure: OBJECT.cure }]
  const { recipient } = value
  const ofRecipient = isObject(recipient) ? Object.entries(recipient) : []
  const members = [...Object.entries(value), ...ofRecipient.map(([name, one]) => [`recipient.${name}`, one] as const)]
  return members.flatMap(([name, one]): Issue[] => {
    const kind = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined
    if (kind?.fits(one)) return []
    if (kind) return [{ ...placeOf(name), message: `"${name}" is of another kind.`, cure: kind.cure }]
    const known = Object.keys(MEMBERS)
    const cure = didYouMean(name, known).trim() || 'Values of your own stand in "custom".'
    return [{ ...placeOf(name), message: `a sample has no "${name}".`, cure }]
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
