import { PAGE_STATES } from '../http/sample-page.js'
import { listViews } from '../views/files.js'
import { originalOf } from '../views/original.js'
import type { View } from './catalogue.js'

/** Whose template it is, and whether the original of a copy has changed since. */
export type Badge = 'built-in' | 'yours' | 'outdated'

/** @returns the badge of each mail and page, by its own files and its layout */
export function readBadges(folders: readonly string[]): (view: View) => Badge {
  const files = folders.flatMap(listHostFiles)
  return (view) => {
    const own =
      view.kind === 'mail'
        ? [`mail/${view.folder}/`, 'layouts/mail.']
        : [`pages/${PAGE_STATES[view.name].page}`, 'layouts/page']
    const found = files.filter(({ stem }) => own.some((prefix) => stem.startsWith(prefix)))
    if (found.some(({ absolute }) => originalOf(absolute)?.isOutdated)) return 'outdated'
    return found.length > 0 ? 'yours' : 'built-in'
  }
}

/** A folder that cannot be read is told with the failure of its templates. */
function listHostFiles(folder: string): ReturnType<typeof listViews> {
  try {
    return listViews(folder, null, () => undefined)
  } catch {
    return []
  }
}
