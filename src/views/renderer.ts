import path from 'node:path'
import Handlebars from 'handlebars'
import { type BrandSettings, DEFAULT_BRAND } from '../config/brand.js'
import type { PageContext, RenderedPage } from '../config/page.js'
import { brandAssets, type GeneratedAsset } from './brand-assets.js'
import { type CompiledLocale, type CompiledViews, compileAll } from './compile.js'
import type { MailContext } from './context.js'
import { FileWatch } from './file-watch.js'
import { BUILT_IN } from './files.js'
import { isDocument, type LocaleViews } from './locale-views.js'
import { type Messages, translate } from './messages.js'
import type { Sample } from './samples.js'
import type { HostHelpers } from './template-helpers.js'

/** The texts of a mail. */
export interface RenderedMail {
  readonly subject: string
  /** Empty if the host rendered the mail. */
  readonly preheader: string
  readonly html: string
  readonly text: string
  /** The folder of its templates below `mail`. */
  readonly view: string
}

export interface Renderer {
  readonly renderPage: (context: PageContext) => string
  /** The parts of a page, for a layout that is no template of ours. */
  readonly pageParts: (context: PageContext) => Pick<RenderedPage, 'title' | 'head' | 'body'>
  /** With the templates of the package alone, and the texts of the host. */
  readonly renderBuiltInPage: (context: PageContext) => string
  /** What `custom` is on a page that gets nothing from the host. */
  readonly emptyCustom: PageContext['custom']
  /** Nothing of the host's, in English. Made when it is first needed. */
  readonly builtIn: () => Renderer
  /** Uses the purpose's own templates where there are any, and those of `code` for the rest. */
  readonly renderMail: (purpose: string, context: MailContext) => RenderedMail
  /** With the templates of the package alone, and the texts of the host. */
  readonly renderBuiltInMail: (purpose: string, context: MailContext) => RenderedMail
  /** The folder of the templates for a purpose: one of its own, else `code`. */
  readonly mailTemplateFolder: (purpose: string, locale: string) => string
  /** The messages of a locale, frozen; missing ones come from the default locale, then from English. */
  readonly messages: (locale: string) => Messages
  /** The texts of a language by key, as they stand in the files, without those of other languages. */
  readonly textsOf: (locale: string) => Readonly<Record<string, string>>
  /** Locales that have messages. */
  readonly locales: readonly string[]
  /** The folders below `mail`: `code`, `alert`, and purposes. */
  readonly mailFolders: readonly string[]
  /** Those with mail templates or a text of their own. */
  readonly purposes: readonly string[]
  /** What pages and mails are tried with: ours, and those of the host's `samples/`. */
  readonly samples: readonly Sample[]
  /** Folders with assets, the host's first. */
  readonly assetFolders: readonly string[]
  /** Those that are no files. A file of the same name comes first. */
  readonly generatedAssets: readonly GeneratedAsset[]
  /** Hash of all assets. */
  readonly assetVersion: string
  /** Reads and compiles everything again; on an error the old templates stay. */
  readonly reload: () => void
}

/** What pages and mails have beside the files. */
export interface RendererOptions extends BrandSettings {
  readonly helpers: HostHelpers
  /** Whether mails get a `custom` from `mail.locals`. */
  readonly hasMailLocals: boolean
}

const DEFAULT_OPTIONS: RendererOptions = { brand: DEFAULT_BRAND, logoFile: null, helpers: {}, hasMailLocals: false }

/** Finds, checks and compiles all views. @throws OtpError `invalid_view` */
export function createRenderer(
  viewFolders: readonly string[],
  defaultLocale: string,
  given: Partial<RendererOptions> = {},
): Renderer {
  const options = { ...DEFAULT_OPTIONS, ...given }
  const generatedAssets = brandAssets(options)
  const hostFolders = viewFolders.map((folder) => path.resolve(folder))
  const folders = [...hostFolders, BUILT_IN]
  const isWatching = process.env.NODE_ENV !== 'production' && hostFolders.length > 0
  const compile = (): CompiledViews => compileAll(folders, defaultLocale, { ...options, generatedAssets })
  const load = (): void => {
    compiled = compile()
  }
  let compiled = compile()
  let builtIn: Renderer | null = null
  const watch = isWatching ? new FileWatch(hostFolders, load) : null
  const current = (): CompiledViews => {
    watch?.takeUpChanges()
    return compiled
  }
  const viewsFor = (locale: string): CompiledLocale => current().viewsFor(locale)
  /** For what is made of the host's templates. */
  const soundViewsFor = (locale: string): CompiledLocale => {
    watch?.throwIfBroken()
    return compiled.viewsFor(locale)
  }

  return {
    renderPage: (context) => pageIn(soundViewsFor(context.locale), context),
    pageParts(context) {
      const { pages, head, messages } = soundViewsFor(context.locale)
      const { title, error } = context
      return {
        title: error === '' ? title : translate(messages, 'error.prefix', { title }),
        head: head(context),
        body: pages[context.page](context),
      }
    },
    renderBuiltInPage: (context) => pageIn(viewsFor(context.locale).builtIn, context),
    get emptyCustom() {
      return compiled.emptyCustom
    },
    builtIn: () => (builtIn ??= createRenderer([], 'en', options)),
    renderMail: (purpose, context) => mailIn(soundViewsFor(context.locale), purpose, context),
    renderBuiltInMail: (purpose, context) => mailIn(viewsFor(context.locale).builtIn, purpose, context),
    mailTemplateFolder(purpose, locale) {
      const { mails, codeMail } = viewsFor(locale)
      return (mails.get(purpose) ?? codeMail).folder
    },
    messages: (locale) => viewsFor(locale).messages,
    textsOf: (locale) => compiled.textsOf(locale),
    get locales() {
      return current().locales
    },
    get purposes() {
      return current().purposes
    },
    get mailFolders() {
      return compiled.mailFolders
    },
    get samples() {
      return current().samples
    },
    assetFolders: folders.map((folder) => path.join(folder, 'assets')),
    generatedAssets,
    get assetVersion() {
      return compiled.assetVersion
    },
    reload() {
      load()
      watch?.markSound()
    },
  }
}

function pageIn({ pages, layouts }: LocaleViews, context: PageContext): string {
  const body = new Handlebars.SafeString(pages[context.page](context))
  return layouts.page({ ...context, body })
}

function mailIn({ mails, codeMail }: LocaleViews, purpose: string, context: MailContext): RenderedMail {
  const templates = mails.get(purpose) ?? codeMail
  const subject = oneLine(templates.subject(context))
  const preheader = oneLine(templates.preheader({ ...context, subject }))
  const withHeader = { ...context, subject, preheader }
  const { layouts } = templates
  const body = templates.html(withHeader)
  const html = isDocument(body) ? body : layouts.html({ ...withHeader, body: new Handlebars.SafeString(body) })
  const text = layouts.text({ ...withHeader, body: templates.text(withHeader) })
  return { subject, preheader, html, text: formatPlainText(text), view: templates.folder }
}

/** Spaces that do not break stay. */
function oneLine(text: string): string {
  return text.replace(/[^\S\u00a0]+/g, ' ').trim()
}

/** At most 78 columns (RFC 5322 2.1.1), no runs of empty lines, one line break at the end. */
function formatPlainText(text: string): string {
  const lines = text.split(/\r?\n/).map(wrap).join('\n')
  return `${lines.replace(/\n{3,}/g, '\n\n').trim()}\n`
}

function wrap(line: string): string {
  return line.length > 78 ? line.replace(/(?=.{79})(.{1,78}) +/g, '$1\n') : line
}
