import path from 'node:path'
import { OtpError, type ViewIssue } from '../errors.js'
import { BUILT_IN, listViews } from './files.js'
import { builtInPaths, type Original, originalOf } from './original.js'
import { createRenderer, type RendererOptions } from './renderer.js'

/** A file of the package, or of the host's folders. */
export interface InventoryEntry {
  /** In its folder, such as `mail/code/html.hbs`. */
  readonly path: string
  readonly file: string
  /** `outdated`: a copy whose original has changed. `invalid`: no start with it. */
  readonly state: 'built-in' | 'yours' | 'outdated' | 'invalid'
  readonly original: Original | null
  readonly issues: readonly ViewIssue[]
}

/** All files, those of the host's first folder in front. A file of the package that the host replaces is left out. */
export function listInventory(
  hostFolders: readonly string[],
  defaultLocale: string,
  options: Partial<RendererOptions>,
): InventoryEntry[] {
  const issues = issuesOf(hostFolders, defaultLocale, options)
  const own = hostFolders.map((folder) => path.resolve(folder)).flatMap((folder) => entriesIn(folder, issues))
  const paths = new Set(own.map((one) => one.path))
  const builtIn = builtInPaths().filter((one) => !paths.has(one))
  return [
    ...own,
    ...builtIn.map((one) => {
      return { path: one, file: path.join(BUILT_IN, one), state: 'built-in', original: null, issues: [] } as const
    }),
  ]
}

function entriesIn(folder: string, allIssues: readonly ViewIssue[]): InventoryEntry[] {
  return listViews(folder, null, () => undefined).map(({ absolute }) => {
    const issues = allIssues.filter(({ file }) => file === absolute)
    const original = originalOf(absolute)
    const state = issues.length > 0 ? 'invalid' : original?.isOutdated ? 'outdated' : 'yours'
    return { path: path.relative(folder, absolute).split(path.sep).join('/'), file: absolute, state, original, issues }
  })
}

function issuesOf(
  hostFolders: readonly string[],
  defaultLocale: string,
  options: Partial<RendererOptions>,
): readonly ViewIssue[] {
  try {
    createRenderer(hostFolders, defaultLocale, options)
    return []
  } catch (error) {
    if (error instanceof OtpError && error.issues.length > 0) return error.issues
    throw error
  }
}
