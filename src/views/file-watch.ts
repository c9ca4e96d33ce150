import { modificationStamp } from './files.js'

/**
 * For development: compiles again when a file of the folders has changed. Looks at most once in a turn of the event loop, so
 * that a page or mail pays for it once.
 */
export class FileWatch {
  #stamp: string
  #isChecked = false
  #failure: { readonly error: unknown } | null = null

  constructor(
    private readonly folders: readonly string[],
    private readonly compile: () => void,
  ) {
    this.#stamp = modificationStamp(folders)
  }

  /** Takes up what has changed. While it is broken, what was compiled before stays in use. */
  takeUpChanges(): void {
    if (this.#isChecked) return
    this.#isChecked = true
    setImmediate(() => (this.#isChecked = false))
    try {
      const before = this.#stamp
      this.#stamp = '' // until the folders can be read
      this.#stamp = modificationStamp(this.folders)
      if (this.#stamp === before) return
      this.compile()
      this.#failure = null
    } catch (error) {
      this.#failure = { error }
    }
  }

  /** @throws what the last change has broken, until it is mended: the old look would hide it */
  throwIfBroken(): void {
    this.takeUpChanges()
    if (this.#failure) throw this.#failure.error
  }

  markSound(): void {
    this.#failure = null
  }
}
