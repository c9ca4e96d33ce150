import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { hashText, type Original } from '../views/original.js'

/** Keeps the original of a copy beside the views, so that it can be compared with later ones. Names with a dot are no views. */
export function keepOriginal(folder: string, file: string, text: string): void {
  const kept = path.join(folder, '.originals', file)
  mkdirSync(path.dirname(kept), { recursive: true })
  // Removed first: nothing is written through a link that stands there.
  rmSync(kept, { force: true })
  writeFileSync(kept, text, { flag: 'wx' })
}

/** The original as it was copied; null if it is not kept, or another one is. */
export function keptOriginal(folder: string, { path: file, hash }: Original): string | null {
  try {
    const text = readFileSync(path.join(folder, '.originals', file), 'utf8')
    return hashText(text) === hash ? text : null
  } catch {
    return null
  }
}
