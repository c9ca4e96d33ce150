import path from 'node:path'
import Handlebars from 'handlebars'
import { OtpError, otpError } from './errors.js'
import { type Compiled, compileAll, isText, type Render } from './view-compile.js'
import type { MailContext, PageContext } from './view-context.js'
import { BUILT_IN, stamp } from './view-files.js'
import type { Words } from './words.js'

/** A mail as the templates made it. */
export interface RenderedMail {
  readonly subject: string
  readonly html: string
  readonly text: string
  /** The folder of its templates below `mail`. */
  readonly view: string
}

export interface Views {
  readonly page: (context: PageContext) => string
  /** A mail of its own for a purpose, where there is one; else that of codes. */
  readonly mail: (view: string, context: MailContext) => RenderedMail
  /** The folder that the mail for a purpose is made from: one of its own, else `code`. */
  readonly mailView: (view: string, locale: string) => string
  readonly words: (locale: string) => Words
  /** Locales that have words. */
  readonly locales: readonly string[]
  /** Folders with assets, the host's first. */
  readonly assetFolders: readonly string[]
  /** Reads and compiles everything anew; on an error the old templates stay. */
  readonly reload: () => void
}

const MAIL_PARTS = ['subject', 'preheader', 'html', 'text'] as const

/** Finds, checks and compiles all views. @throws OtpError `invalid_view` */
export function loadViews(hostFolders: readonly string[], defaultLocale: string): Views {
  const folders = [...hostFolders.map((folder) => path.resolve(folder)), BUILT_IN]
  const watched = process.env.NODE_ENV === 'production' ? [] : folders.slice(0, -1)
  let seen = stamp(watched)
  let compiled = compileAll(folders)
  const load = (): void => {
    compiled = compileAll(folders)
  }
  const current = (): Compiled => {
    const now = stamp(watched)
    if (now === seen) return compiled
    seen = now // first: a broken edit is told once, and the templates from before it must tell it
    load()
    return compiled
  }
  const words = (all: Compiled, locale: string): Words =>
    fallbacks(locale, defaultLocale, 'en').reduce<Words>((rest, tag) => ({ ...all.words.get(tag), ...rest }), {})

  function render(all: Compiled, stems: readonly string[], context: PageContext | MailContext, extra: object): string {
    const kind = isText(stems[0] ?? '') ? 'text' : 'html'
    const template = stems.map((stem) => find(all, stem, context.locale)).find((found) => found !== null)
    if (!template) throw new OtpError('render_failed', `views: there is no ${stems.join(' or ')}.`)
    const options = {
      partials: partialsOf(all, kind, context.locale),
      data: { words: words(all, context.locale) },
    }
    try {
      return template({ ...context, ...extra }, options)
    } catch (error) {
      throw otpError('render_failed', `views: ${stems[0]} could not be rendered.`, error)
    }
  }

  const folderOf = (all: Compiled, view: string, locale: string): string =>
    MAIL_PARTS.some((name) => find(all, `mail/${view}/${name}`, locale)) ? view : 'code'

  return {
    page(context) {
      const all = current()
      const body = new Handlebars.SafeString(render(all, [`pages/${context.page}`], context, {}))
      return render(all, ['layouts/page'], context, { body })
    },
    mail(view, context) {
      const all = current()
      const part = (name: string, extra: object): string =>
        render(all, [`mail/${view}/${name}`, ...(view === 'alert' ? [] : [`mail/code/${name}`])], context, extra)
      const subject = oneLine(part('subject', {}))
      const preheader = oneLine(part('preheader', { subject }))
      const parts = { subject, preheader }
      const body = new Handlebars.SafeString(part('html', parts))
      const html = render(all, ['layouts/mail.html'], context, { ...parts, body })
      const text = render(all, ['layouts/mail.text'], context, { ...parts, body: part('text', parts) })
      return { subject, html, text: tidy(text), view: folderOf(all, view, context.locale) }
    },
    mailView: (view, locale) => folderOf(current(), view, locale),
    words: (locale) => words(current(), locale),
    get locales() {
      return [...current().words.keys()]
    },
    assetFolders: folders.map((folder) => path.join(folder, 'assets')),
    reload: load,
  }
}

/** The template for a stem: each folder in turn, and in it the variant nearest to the locale. */
function find(all: Compiled, stem: string, locale: string): Render | null {
  for (const folder of all.templates) {
    for (const tag of [...fallbacks(locale), '']) {
      const template = folder.get(`${stem}.${tag}`)
      if (template) return template
    }
  }
  return null
}

function partialsOf(all: Compiled, kind: 'html' | 'text', locale: string): Record<string, Render> {
  const partials = all.partials.map((name) => [name, find(all, `partials/${name}.${kind}`, locale)] as const)
  return Object.fromEntries(partials.filter((pair): pair is [string, Render] => pair[1] !== null))
}

/** pt-BR, pt: from the exact locale to the bare language, then whatever else is given. */
function fallbacks(locale: string, ...rest: string[]): string[] {
  return [locale, locale.replace(/-.*/, ''), ...rest]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Plain text as mail programs like it: no runs of empty lines, and 78 columns at most (RFC 5322 2.1.1). */
function tidy(text: string): string {
  const wrap = (line: string): string => line.replace(/(?=.{79})(.{1,78}) +/g, '$1\n')
  return `${text
    .split(/\r?\n/)
    .map(wrap)
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}
