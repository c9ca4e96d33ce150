import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A PNG of one pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

/** A folder for images, which `remove` deletes. */
export class ImageFolder {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'images-'))

  /** The path of an image with this content. */
  write(name: string, content: Buffer | string): string {
    const file = path.join(this.#folder, name)
    writeFileSync(file, content)
    return file
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}
