import { PAGE_STATES, type PageState } from '../http/sample-page.js'
import { samplePurposes } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { modificationStamp } from '../views/files.js'
import { type PreviewFailure, previewFailure } from './preview-failure.js'

/** A mail by its purpose, or a page in one of its states. */
export type View =
  | { readonly kind: 'mail'; readonly name: string; readonly folder: string }
  | { readonly kind: 'page'; readonly name: PageState }

/** What there is to choose from. */
export interface Catalogue {
  readonly views: readonly View[]
  readonly locales: readonly string[]
  readonly samples: readonly string[]
  /** Why it may be out of date: a file in `views` is broken. */
  readonly failure: PreviewFailure | null
}

export function viewId({ kind, name }: View): string {
  return `${kind}/${name}`
}

/**
 * Reads the catalogue at each request. While a file is broken it is the last one that could be read. A broken edit may throw
 * only once, and in any request, so its failure is kept until a file changes.
 */
export class CatalogueReader {
  #last: Catalogue
  #brokenStamp = ''

  constructor(private readonly services: Services) {
    this.#last = readCatalogue(services)
  }

  read(): Catalogue {
    try {
      if (this.#last.failure && this.#stamp() === this.#brokenStamp) return this.#last
      this.#last = readCatalogue(this.services)
    } catch (error) {
      this.keepFailure(previewFailure(error))
    }
    return this.#last
  }

  keepFailure(failure: PreviewFailure): void {
    this.#last = { ...this.#last, failure }
    this.#brokenStamp = this.#stamp()
  }

  #stamp(): string {
    try {
      return modificationStamp(this.services.settings.viewFolders)
    } catch {
      return '' // a folder that is being replaced
    }
  }
}

function readCatalogue({ views, settings }: Services): Catalogue {
  const { locales } = views
  const mails = samplePurposes(views).map((name) => {
    return { kind: 'mail', name, folder: views.mailTemplateFolder(name, settings.locale) } as const
  })
  const pages = (Object.keys(PAGE_STATES) as PageState[]).map((name) => ({ kind: 'page', name }) as const)
  const samples = views.samples.map(({ name }) => name)
  return { views: [...mails, ...pages], locales, samples, failure: null }
}
