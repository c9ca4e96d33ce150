import type Handlebars from 'handlebars'
import { OtpError, wrapError } from '../errors.js'
import type { PageName } from './context.js'
import type { Messages } from './messages.js'

/** A compiled template. */
export type Template = Handlebars.TemplateDelegate

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
  /** By locale. */
  readonly messages: ReadonlyMap<string, Messages>
}

/** Renders one template. @throws OtpError `render_failed` */
export type Render = (context: object) => string

export interface MailTemplates {
  /** Below `mail`. */
  readonly folder: string
  readonly subject: Render
  readonly preheader: Render
  readonly html: Render
  readonly text: Render
}

/** Everything that one locale renders with, looked up once. */
export interface LocaleViews {
  readonly messages: Messages
  readonly pages: Readonly<Record<PageName, Render>>
  readonly pageLayout: Render
  /** By folder: `alert`, and each purpose with a mail of its own. */
  readonly mails: ReadonlyMap<string, MailTemplates>
  /** For all other purposes. */
  readonly codeMail: MailTemplates
  readonly mailLayouts: Readonly<Record<Format, Render>>
}

const MAIL_TEMPLATES = ['subject', 'preheader', 'html', 'text'] as const

/** Chooses messages, templates and partials for a locale. */
export function resolveLocaleViews(files: CompiledFiles, locale: string, defaultLocale: string): LocaleViews {
  const tags = [...fallbacks(locale), ...fallbacks(defaultLocale), 'en']
  const messages = mergeMessages(tags.map((tag) => files.messages.get(tag)))
  const options = {
    html: { partials: partialsOf(files, 'html', locale), data: { messages } },
    text: { partials: partialsOf(files, 'text', locale), data: { messages } },
  }
  const renderFirst = (stems: readonly string[], format: Format): Render => {
    const [found] = stems.flatMap((stem) => findTemplate(files, stem, locale) ?? [])
    if (!found) throw new OtpError('invalid_view', `views: there is no ${stems.join(' or ')}.`)
    return bind(found, stems[0] ?? '', options[format])
  }
  const page = (name: PageName): Render => renderFirst([`pages/${name}`], 'html')
  const mail = (folder: string): MailTemplates => {
    // An alert carries no code, so the templates of `code` cannot stand in for its own.
    const stems = (name: string): string[] =>
      folder === 'alert' ? [`mail/alert/${name}`] : [`mail/${folder}/${name}`, `mail/code/${name}`]
    return {
      folder,
      subject: renderFirst(stems('subject'), 'text'),
      preheader: renderFirst(stems('preheader'), 'text'),
      html: renderFirst(stems('html'), 'html'),
      text: renderFirst(stems('text'), 'text'),
    }
  }
  const hasMail = (folder: string): boolean =>
    MAIL_TEMPLATES.some((name) => findTemplate(files, `mail/${folder}/${name}`, locale))
  return Object.freeze({
    messages,
    pages: {
      email: page('email'),
      send: page('send'),
      code: page('code'),
      verified: page('verified'),
      problem: page('problem'),
    },
    pageLayout: renderFirst(['layouts/page'], 'html'),
    codeMail: mail('code'),
    mails: new Map(files.mailFolders.filter(hasMail).map((folder) => [folder, mail(folder)])),
    mailLayouts: {
      html: renderFirst(['layouts/mail.html'], 'html'),
      text: renderFirst(['layouts/mail.text'], 'text'),
    },
  })
}

function bind(template: Template, stem: string, options: Handlebars.RuntimeOptions): Render {
  return (context) => {
    try {
      return template(context, options)
    } catch (error) {
      throw wrapError('render_failed', `views: ${stem} could not be rendered.`, error)
    }
  }
}

function mergeMessages(nearestFirst: readonly (Messages | undefined)[]): Messages {
  const merged = Object.create(null) as Record<string, string>
  return Object.freeze(Object.assign(merged, ...nearestFirst.toReversed()) as Messages)
}

/** The template for a stem: each folder in turn, and in it the variant nearest to the locale. */
function findTemplate({ templates }: CompiledFiles, stem: string, locale: string): Template | null {
  for (const folder of templates) {
    for (const tag of [...fallbacks(locale), '']) {
      const template = folder.get(`${stem}.${tag}`)
      if (template) return template
    }
  }
  return null
}

function partialsOf(files: CompiledFiles, format: Format, locale: string): Record<string, Template> {
  const partials = files.partials.map(
    (name) => [name, findTemplate(files, `partials/${name}.${format}`, locale)] as const,
  )
  return Object.fromEntries(partials.filter((pair): pair is [string, Template] => pair[1] !== null))
}

/** From the exact locale to the bare language: pt-BR, pt. */
function fallbacks(locale: string): string[] {
  return [locale, locale.replace(/-.*/, '')]
}
