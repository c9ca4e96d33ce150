import { readFileSync } from 'node:fs'
import path from 'node:path'
import { unkeyedHash } from '../crypto/keys.js'
import { memoize } from '../memoize.js'
import { warnOnce } from '../warn.js'
import { BUILT_IN, listViews, type ViewFile } from './files.js'

/** What a copy of a file of the package says of it in a comment. */
export interface Stamp {
  /** Below the package's own folder, such as `mail/code/html.hbs`. */
  readonly path: string
  /** Of the package at that time. */
  readonly version: string
  readonly hash: string
}

/** The file of the package that a file of the host's was copied from. */
export interface Original extends Stamp {
  /** Whether the package has another text there by now. */
  readonly isOutdated: boolean
}

/** The key in a file of texts, since JSON has no comments. */
export const ORIGINAL_KEY = '$original'

const STAMP = /express-email-otp@(\S+) (\S+) sha256:([\w-]{22})/

/** How a file of each type says what it was copied from. */
const STAMPED: Readonly<Record<string, (text: string, stamp: string) => string>> = {
  '.hbs': (text, stamp) => `{{!-- ${stamp} --}}\n${text}`,
  '.css': (text, stamp) => `/* ${stamp} */\n${text}`,
  '.js': (text, stamp) => `// ${stamp}\n${text}`,
  '.json': (text, stamp) => text.replace('{', `{\n  "${ORIGINAL_KEY}": "${stamp}",`),
}

/** Paths of all files of the package's own folder. */
export function builtInPaths(): string[] {
  const files = listViews(BUILT_IN, null, () => undefined)
  return files.map(({ absolute }) => path.relative(BUILT_IN, absolute).split(path.sep).join('/'))
}

/** The text of a file of the package; null if it has no such file. */
export function builtInText(file: string): string | null {
  return builtInPaths().includes(file) ? readFileSync(path.join(BUILT_IN, file), 'utf8') : null
}

/** What a copy of this text says of it. */
export function stampOf(file: string, text: string): Stamp {
  return { path: file, version: packageVersion(), hash: hashText(text) }
}

/** The text of a copy. */
export function stamped(text: string, stamp: Stamp): string {
  return STAMPED[path.extname(stamp.path)]?.(text, lineOf(stamp)) ?? text
}

/** The text of a copy with another stamp. */
export function restamped(copy: string, stamp: Stamp): string {
  return copy.replace(STAMP, lineOf(stamp))
}

/** What a file was copied from; null if it says nothing of that. */
export function originalOf(file: string): Original | null {
  if (!(path.extname(file) in STAMPED)) return null
  const [, version, original, hash] = STAMP.exec(readFileSync(file, 'utf8')) ?? []
  if (version === undefined || original === undefined || hash === undefined) return null
  return { path: original, version, hash, isOutdated: currentHash(original) !== hash }
}

/** Whatever the line breaks: Git may change them. */
export function hashText(text: string): string {
  return unkeyedHash(text.replaceAll('\r\n', '\n'))
}

/** Copies do not change with the package, so a mend of an original does not reach them. */
export function warnAboutOutdated(files: readonly ViewFile[]): void {
  const outdated = files.map(({ absolute }) => absolute).filter((file) => originalOf(file)?.isOutdated)
  if (outdated.length === 0) return
  const cure = '`npx express-email-otp diff` shows what is new there.'
  warnOnce(
    'OTP_OUTDATED_TEMPLATE',
    `The originals of ${outdated.join(', ')} have changed since they were copied. ${cure}`,
  )
}

function lineOf({ path: file, version, hash }: Stamp): string {
  return `express-email-otp@${version} ${file} sha256:${hash}`
}

export function packageVersion(): string {
  const manifest = readFileSync(path.join(BUILT_IN, '..', 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** The package's own files do not change while it runs. */
const currentHash = memoize((file) => hashText(builtInText(file) ?? ''))
