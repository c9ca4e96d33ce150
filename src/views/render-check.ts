import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import type { PageContext } from '../config/page.js'
import type { ViewIssue } from '../errors.js'
import type { MailContext } from './context.js'
import { deepMerge } from './deep-merge.js'
import { explainFailure } from './failure.js'
import { placeAt, type Report } from './issues.js'
import { isDocument, type LocaleViews, type MailTemplates, type Render } from './locale-views.js'
import { type Finding, findErrorsInMail, type MailPart } from './mail-findings.js'
import { readHtml } from './mail-rules/read-html.js'
import { HOSTILE_TAG, type Sample, sampleMail, samplePages } from './samples.js'
import type { UsedNames } from './template-check.js'

/** What the check of a locale needs. */
export interface RenderCheck {
  readonly locale: string
  readonly views: LocaleViews
  readonly samples: readonly Sample[]
  readonly emptyCustom: PageContext['custom']
  /** Whether the host gives `custom` in mails. */
  readonly hasMailLocals: boolean
  readonly used: UsedNames
  /** Whether a host may mend the file. */
  readonly isHostFile: (file: string) => boolean
  readonly report: Report
}

/** Stands for the page or mail in its layout. */
const BODY = 'OTP-SAMPLE-BODY'

/** Renders all pages and mails of a locale with samples, and reports what a reader could not use. */
export function checkRendering(check: RenderCheck): void {
  const { locale, views, samples, emptyCustom, hasMailLocals } = check
  for (const sample of samples) {
    const custom = deepMerge(emptyCustom, sample.custom)
    for (const context of samplePages(sample, locale, custom)) checkPage(check, context)
    for (const folder of views.mails.keys()) {
      for (const codeInSubject of [true, false]) {
        const options = { locale, purpose: folder, codeInSubject, custom: hasMailLocals ? custom : {} }
        checkMail(check, views.mails.get(folder) ?? views.codeMail, sampleMail(sample, options))
      }
    }
  }
}

function checkPage(check: RenderCheck, context: PageContext): void {
  const { pages, layouts } = check.views
  const page = pages[context.page]
  const body = tryRender(check, page, context)
  const frame = renderFrame(check, layouts.page, context)
  if (frame !== null) checkHtml(check, layouts.page, frame)
  if (body === null) return
  checkHtml(check, page, body)
  const field = { code: 'code', email: 'email' }[context.page as string]
  if (field === undefined) return
  const hasField = new RegExp(`\\bname\\s*=\\s*["']?${field}(?![\\w-])`, 'i').test(body)
  if (/<form\b/i.test(body) && hasField) return
  const message = `the page has no form with the field "${field}".`
  issueIn(check, page, { message, cure: `Write <form method="post"> with {{> form}} and <input name="${field}">.` })
}

function checkHtml(check: RenderCheck, template: Render, html: string): void {
  if (html.includes(HOSTILE_TAG)) {
    issueIn(check, template, { message: 'a variable reaches the HTML unescaped.', cure: 'Write it with two braces.' })
  }
  if (!readHtml(html).visible.includes('[object Object]')) return
  const cure = 'Write a member of the variable, such as site.name.'
  issueIn(check, template, { message: 'it prints [object Object].', cure })
}

/** Renders the mail part by part, so that what throws is told of its part, and checks the whole of the others. */
function checkMail(check: RenderCheck, mail: MailTemplates, context: MailContext): void {
  const { layouts } = mail
  const subject = tryRender(check, mail.subject, context)
  const withSubject = { ...context, subject: subject?.trim() ?? '' }
  const preheader = tryRender(check, mail.preheader, withSubject)
  const withHeader = { ...withSubject, preheader: preheader?.trim() ?? '' }
  const html = renderInFrame(check, mail.html, layouts.html, withHeader)
  const text = renderInFrame(check, mail.text, layouts.text, withHeader)
  const inFrame = findErrors({ subject: null, preheader: null, html: html.frame, text: text.frame }, context)
  for (const finding of findErrors({ subject, preheader, html: html.whole, text: text.whole }, context)) {
    const { part, rule } = finding
    const isOfFrame = !rule.startsWith('code-') && inFrame.some((one) => one.rule === rule && one.part === part)
    const template = isOfFrame && (part === 'html' || part === 'text') ? layouts[part] : mail[part]
    issueIn(check, template, finding, rule.startsWith('code-') ? 'code' : '')
  }
}

/** The errors of the parts that could be rendered; the others are null. */
function findErrors(parts: Readonly<Record<MailPart, string | null>>, context: MailContext): Finding[] {
  const { subject, preheader, html, text } = parts
  const known = { subject: subject ?? '', preheader: preheader ?? '', html: html ?? '', text: text ?? '' }
  return findErrorsInMail(known, context).filter(({ part }) => parts[part] !== null)
}

/** A part of a mail in its layout, and the layout alone. An empty part stays empty. */
function renderInFrame(
  check: RenderCheck,
  template: Render,
  layout: Render,
  context: object,
): { readonly whole: string | null; readonly frame: string | null } {
  const body = tryRender(check, template, context)
  if (body !== null && template.format === 'html' && isDocument(body)) return { whole: body, frame: null }
  const frame = renderFrame(check, layout, context)
  if (body === null || frame === null) return { whole: null, frame }
  return { whole: body.trim() && tryRender(check, layout, withBody(context, body)), frame }
}

/** The layout with a word instead of its body; null if it does not show it. */
function renderFrame(check: RenderCheck, layout: Render, context: object): string | null {
  const frame = tryRender(check, layout, withBody(context, BODY))
  if (frame === null || frame.includes(BODY)) return frame
  issueIn(check, layout, { message: 'the layout lacks its body.', cure: 'Write {{body}} where it goes.' })
  return null
}

function withBody(context: object, body: string): object {
  return { ...context, body: new Handlebars.SafeString(body) }
}

function tryRender(check: RenderCheck, template: Render, context: object): string | null {
  try {
    return template(context)
  } catch (error) {
    const issue = explainFailure(error, template, check)
    if (issue) check.report(issue)
    return null
  }
}

/** A mistake, and the text that it is about if there is one. */
interface Mistake {
  readonly message: string
  readonly cure: string
  readonly excerpt?: string
}

/** In the partial that makes the mistake, or in the first file of the host's that the built-in template uses. */
function issueIn(check: RenderCheck, template: Render, { message, cure, excerpt = '' }: Mistake, partial = ''): void {
  const used = partialsUsedBy(check, template)
  const candidates = [
    ...used.filter(({ name }) => name === partial).map(({ file }) => file),
    template.file,
    ...used.map(({ file }) => file),
  ]
  const file = candidates.find(check.isHostFile) ?? template.file
  check.report({ file, ...placeOf(excerpt, file), message, cure })
}

/** The beginning of the file if the text is not there. */
function placeOf(excerpt: string, file: string): Pick<ViewIssue, 'line' | 'column'> {
  const source = readFileSync(file, 'utf8')
  return placeAt(source, excerpt === '' ? 0 : Math.max(0, source.indexOf(excerpt)))
}

function partialsUsedBy({ used, views }: RenderCheck, template: Render): { name: string; file: string }[] {
  const names = used.partials.filter(({ file }) => file === template.file).map(({ name }) => name)
  return names.flatMap((name) => {
    const partial = views.partials[template.format][name]
    return partial ? [{ name, file: partial.file }] : []
  })
}
