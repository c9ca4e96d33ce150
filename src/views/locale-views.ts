import type Handlebars from 'handlebars'
import { type PageName, PAGES } from '../config/page.js'
import { OtpError, wrapError } from '../errors.js'
import type { Template } from './failure-place.js'
import { lookupOrder } from './locales.js'
import type { Messages } from './messages.js'
import type { HelperTable } from './template-helpers.js'

/** HTML is escaped, plain text is not. */
export type Format = 'html' | 'text'

/** All compiled files, before a locale chooses among them. */
export interface CompiledFiles {
  /** One map for each folder, the host's folders first. Key: stem, dot, locale. */
  readonly templates: readonly ReadonlyMap<string, Template>[]
  /** Names of all partials, without folder and format. */
  readonly partials: readonly string[]
  /** The folders below `mail`: `code`, `alert`, and purposes. */
  readonly mailFolders: readonly string[]
  /** Those of the host. */
  readonly helpers: HelperTable
}

/** Renders one template. @throws OtpError `render_failed` */
export interface Render {
  (context: object): string
  /** The file of the template. */
  readonly file: string
  readonly stem: string
  readonly format: Format
}

export type MailTemplates = Readonly<Record<(typeof MAIL_TEMPLATES)[number], Render>> & {
  readonly folder: string
  /** Those of the mail alone, else those of all mails. */
  readonly layouts: Readonly<Record<Format, Render>>
}

/** Everything that one locale renders with, looked up once. */
export interface LocaleViews {
  readonly messages: Messages
  readonly partials: Readonly<Record<Format, Readonly<Record<string, Template>>>>
  readonly pages: Readonly<Record<PageName, Render>>
  readonly layouts: Readonly<Record<(typeof LAYOUTS)[number], Render>>
  /** What our layout has inside of `head`, for a layout that is no template of ours. */
  readonly head: Render
  /** By folder. */
  readonly mails: ReadonlyMap<string, MailTemplates>
  /** For purposes without a folder. */
  readonly codeMail: MailTemplates
}

const MAIL_TEMPLATES = ['subject', 'preheader', 'html', 'text'] as const
const LAYOUTS = ['page'] as const

/** Chooses templates and partials for a locale. */
export function resolveLocaleViews(files: CompiledFiles, locale: string, messages: Messages): LocaleViews {
  const variants = [...lookupOrder(locale), '']
  // Each folder in turn, and in it the variant nearest to the locale.
  const find = (stem: string): Template | undefined =>
    files.templates.flatMap((folder) => variants.flatMap((tag) => folder.get(`${stem}.${tag}`) ?? []))[0]
  const partialsOf = (format: Format): Record<string, Template> =>
    Object.fromEntries(
      files.partials.flatMap((name) => {
        const partial = find(`partials/${name}.${format}`)
        return partial ? [[name, partial]] : []
      }),
    )
  const partials = recordOf(['html', 'text'], partialsOf)
  const { helpers } = files
  const options = recordOf(['html', 'text'], (format) =>
    Object.freeze({ partials: partials[format], helpers, data: Object.freeze({ messages }) }),
  )
  const render = (stem: string, ...fallbackStems: string[]): Render => {
    const template = [stem, ...fallbackStems].flatMap((one) => find(one) ?? [])[0]
    if (!template) throw new OtpError('invalid_view', `views: there is no ${stem}.`)
    return bind(template, stem, options[templateFormat(stem)])
  }
  const mail = (folder: string): MailTemplates => {
    // An alert carries no code, so the templates of `code` cannot stand in for its own.
    const fallback = folder === 'alert' ? 'alert' : 'code'
    const layout = (format: Format): Render =>
      render(`mail/${folder}/layout.${format}`, `mail/${fallback}/layout.${format}`, `layouts/mail.${format}`)
    return {
      folder,
      layouts: recordOf(['html', 'text'], layout),
      ...recordOf(MAIL_TEMPLATES, (name) => render(`mail/${folder}/${name}`, `mail/${fallback}/${name}`)),
    }
  }
  const hasMail = (folder: string): boolean =>
    [...MAIL_TEMPLATES, 'layout.html', 'layout.text'].some((name) => find(`mail/${folder}/${name}`))
  return Object.freeze({
    messages,
    partials,
    pages: recordOf(PAGES, (name) => render(`pages/${name}`)),
    layouts: recordOf(LAYOUTS, (name) => render(`layouts/${name}`)),
    head: render('partials/head.html'),
    mails: new Map(files.mailFolders.filter(hasMail).map((folder) => [folder, mail(folder)])),
    codeMail: mail('code'),
  })
}

/** Whether a rendered mail is a whole document, which gets no layout: tools such as MJML make some. */
export function isDocument(html: string): boolean {
  return /^(?:\s|<!--(?:(?!-->)[^])*-->)*<(?:!doctype|html)\b/i.test(html)
}

/** The format of a template, by its name. */
export function templateFormat(stem: string): Format {
  return /\.text$|^mail\/[^/]+\/(subject|preheader|text)$/.test(stem) ? 'text' : 'html'
}

function bind(template: Template, stem: string, options: Handlebars.RuntimeOptions): Render {
  const render = (context: object): string => {
    try {
      return template(context, options)
    } catch (error) {
      throw wrapError('render_failed', `views: ${stem} could not be rendered.`, error)
    }
  }
  return Object.assign(render, { file: template.file, stem, format: templateFormat(stem) })
}

function recordOf<K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, V>
}
