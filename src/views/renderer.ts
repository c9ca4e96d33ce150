import path from 'node:path'
import Handlebars from 'handlebars'
import { OtpError, wrapError } from '../errors.js'
import { compileAll, type Compiled, isPlainText, type Template } from './compile.js'
import type { MailContext, PageContext } from './context.js'
import { BUILT_IN, modificationStamp } from './files.js'
import type { Messages } from './messages.js'

/** A mail as the templates made it. */
export interface RenderedMail {
  readonly subject: string
  readonly html: string
  readonly text: string
  /** The folder of its templates below `mail`. */
  readonly view: string
}

export interface Renderer {
  readonly renderPage: (context: PageContext) => string
  /** A mail of its own for a purpose, where there is one; else that of codes. */
  readonly renderMail: (view: string, context: MailContext) => RenderedMail
  /** The folder that the mail for a purpose is made from: one of its own, else `code`. */
  readonly mailTemplateFolder: (view: string, locale: string) => string
  readonly messages: (locale: string) => Messages
  /** Locales that have words. */
  readonly locales: readonly string[]
  /** Folders with assets, the host's first. */
  readonly assetFolders: readonly string[]
  /** Reads and compiles everything anew; on an error the old templates stay. */
  readonly reload: () => void
}

const MAIL_TEMPLATES = ['subject', 'preheader', 'html', 'text'] as const

/** Finds, checks and compiles all views. @throws OtpError `invalid_view` */
export function createRenderer(hostFolders: readonly string[], defaultLocale: string): Renderer {
  const folders = [...hostFolders.map((folder) => path.resolve(folder)), BUILT_IN]
  const watched = process.env.NODE_ENV === 'production' ? [] : folders.slice(0, -1)
  let lastStamp = modificationStamp(watched)
  let compiled = compileAll(folders)
  const load = (): void => {
    compiled = compileAll(folders)
  }
  const current = (): Compiled => {
    const now = modificationStamp(watched)
    if (now === lastStamp) return compiled
    lastStamp = now // first: a broken edit is told once, and the templates from before it must tell it
    load()
    return compiled
  }
  const messages = (compiledViews: Compiled, locale: string): Messages =>
    fallbacks(locale, defaultLocale, 'en').reduce<Messages>(
      (rest, tag) => ({ ...compiledViews.messages.get(tag), ...rest }),
      {},
    )

  function render(
    compiledViews: Compiled,
    stems: readonly string[],
    context: PageContext | MailContext,
    locals: object,
  ): string {
    const kind = isPlainText(stems[0] ?? '') ? 'text' : 'html'
    const template = stems
      .map((stem) => findTemplate(compiledViews, stem, context.locale))
      .find((found) => found !== null)
    if (!template) throw new OtpError('render_failed', `views: there is no ${stems.join(' or ')}.`)
    const options = {
      partials: partialsOf(compiledViews, kind, context.locale),
      data: { messages: messages(compiledViews, context.locale) },
    }
    try {
      return template({ ...context, ...locals }, options)
    } catch (error) {
      throw wrapError('render_failed', `views: ${stems[0]} could not be rendered.`, error)
    }
  }

  const templateFolderOf = (compiledViews: Compiled, view: string, locale: string): string =>
    MAIL_TEMPLATES.some((name) => findTemplate(compiledViews, `mail/${view}/${name}`, locale)) ? view : 'code'

  return {
    renderPage(context) {
      const compiledViews = current()
      const body = new Handlebars.SafeString(render(compiledViews, [`pages/${context.page}`], context, {}))
      return render(compiledViews, ['layouts/page'], context, { body })
    },
    renderMail(view, context) {
      const compiledViews = current()
      const part = (name: string, locals: object): string =>
        render(
          compiledViews,
          [`mail/${view}/${name}`, ...(view === 'alert' ? [] : [`mail/code/${name}`])],
          context,
          locals,
        )
      const subject = oneLine(part('subject', {}))
      const preheader = oneLine(part('preheader', { subject }))
      const headerTexts = { subject, preheader }
      const body = new Handlebars.SafeString(part('html', headerTexts))
      const html = render(compiledViews, ['layouts/mail.html'], context, { ...headerTexts, body })
      const text = render(compiledViews, ['layouts/mail.text'], context, {
        ...headerTexts,
        body: part('text', headerTexts),
      })
      return { subject, html, text: formatPlainText(text), view: templateFolderOf(compiledViews, view, context.locale) }
    },
    mailTemplateFolder: (view, locale) => templateFolderOf(current(), view, locale),
    messages: (locale) => messages(current(), locale),
    get locales() {
      return [...current().messages.keys()]
    },
    assetFolders: folders.map((folder) => path.join(folder, 'assets')),
    reload: load,
  }
}

/** The template for a stem: each folder in turn, and in it the variant nearest to the locale. */
function findTemplate(compiledViews: Compiled, stem: string, locale: string): Template | null {
  for (const folder of compiledViews.templates) {
    for (const tag of [...fallbacks(locale), '']) {
      const template = folder.get(`${stem}.${tag}`)
      if (template) return template
    }
  }
  return null
}

function partialsOf(compiledViews: Compiled, kind: 'html' | 'text', locale: string): Record<string, Template> {
  const partials = compiledViews.partials.map(
    (name) => [name, findTemplate(compiledViews, `partials/${name}.${kind}`, locale)] as const,
  )
  return Object.fromEntries(partials.filter((pair): pair is [string, Template] => pair[1] !== null))
}

/** pt-BR, pt: from the exact locale to the bare language, then whatever else is given. */
function fallbacks(locale: string, ...rest: string[]): string[] {
  return [locale, locale.replace(/-.*/, ''), ...rest]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Plain text as mail programs like it: no runs of empty lines, and 78 columns at most (RFC 5322 2.1.1). */
function formatPlainText(text: string): string {
  const wrap = (line: string): string => line.replace(/(?=.{79})(.{1,78}) +/g, '$1\n')
  return `${text
    .split(/\r?\n/)
    .map(wrap)
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}
