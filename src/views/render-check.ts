import Handlebars from 'handlebars'
import type { PageContext } from '../config/page.js'
import type { MailContext } from './context.js'
import { explainFailure } from './failure.js'
import type { Report } from './issues.js'
import type { LocaleViews, Render } from './locale-views.js'
import { HOSTILE_TAG, sampleMails, samplePages, SAMPLES } from './samples.js'
import type { Reference, UsedNames } from './template-check.js'

/** What the check of a locale needs. */
export interface RenderCheck {
  readonly locale: string
  readonly views: LocaleViews
  readonly emptyCustom: object
  readonly used: UsedNames
  /** Whether a host may mend the file. */
  readonly isHostFile: (file: string) => boolean
  readonly report: Report
}

/** Stands for the page or mail in its layout. */
const BODY = 'OTP-SAMPLE-BODY'

/** Renders all pages and mails of a locale with samples, and reports what a reader could not use. */
export function checkRendering(check: RenderCheck): void {
  const { locale, views, emptyCustom } = check
  for (const sample of SAMPLES) {
    for (const context of samplePages(sample, locale, emptyCustom)) checkPage(check, context)
    for (const folder of views.mails.keys()) {
      for (const context of sampleMails(sample, locale, folder)) checkMail(check, folder, context)
    }
  }
}

function checkPage(check: RenderCheck, context: PageContext): void {
  const { pages, layouts } = check.views
  const page = pages[context.page]
  const body = tryRender(check, page, context)
  checkLayout(check, layouts.page, context)
  if (body === null) return
  checkHtml(check, page, body)
  const field = { code: 'code', email: 'email' }[context.page as string]
  if (field === undefined) return
  const hasField = new RegExp(`\\bname\\s*=\\s*["']?${field}(?![\\w-])`, 'i').test(body)
  if (/<form\b/i.test(body) && hasField) return
  const message = `the page has no form with the field "${field}".`
  issueIn(check, page, message, `Write <form method="post"> with {{> form}} and <input name="${field}">.`)
}

function checkMail(check: RenderCheck, folder: string, context: MailContext): void {
  const { mails, codeMail, layouts } = check.views
  const mail = mails.get(folder) ?? codeMail
  const subject = tryRender(check, mail.subject, context)?.trim()
  if (subject === '') issueIn(check, mail.subject, 'the subject is empty.', 'Write one line of text.')
  const withSubject = { ...context, subject: 'Subject' }
  tryRender(check, mail.preheader, withSubject)
  // Without the preheader and the subject, which must not be the only place of the code.
  const withHeader = { ...withSubject, preheader: '' }
  const html = tryRender(check, mail.html, withHeader)
  const text = tryRender(check, mail.text, withHeader)
  if (html !== null) {
    checkHtml(check, mail.html, html)
    if (html.trim() === '') issueIn(check, mail.html, 'the mail is empty.', 'Write its text.')
    else if (checkLayout(check, layouts['mail.html'], withHeader)) {
      const whole = renderLayout(check, layouts['mail.html'], withHeader, html)
      checkCode(check, mail.html, visibleText(whole), context.code)
    }
  }
  if (text !== null) {
    checkWords(check, mail.text, text)
    if (text.trim() === '')
      issueIn(check, mail.text, 'the text of the mail is empty.', 'Write it: some read only this.')
    else if (checkLayout(check, layouts['mail.text'], withHeader)) {
      checkCode(check, mail.text, renderLayout(check, layouts['mail.text'], withHeader, text), context.code)
    }
  }
}

function checkCode(check: RenderCheck, template: Render, shown: string, code: string): void {
  if (shown.includes(code)) return
  const partial = check.used.partials.find(({ file, name }) => file === template.file && name === 'code')
  const isSplit = shown.replace(/[^A-Za-z0-9]/g, '').includes(code.replaceAll('-', ''))
  const fixed = /(?<![\w#&])\d{4,8}(?!\w)/.exec(shown)?.[0]
  if (isSplit) {
    issueIn(check, template, 'the code is split.', 'Write {{code}}, and space it with `letter-spacing`.', partial)
  } else if (fixed !== undefined) {
    issueIn(check, template, `the code is missing, and ${fixed} is there for all.`, 'Write {{code}} instead.', partial)
  } else {
    const cure = 'Write {{code}} or {{> code}}. HTML and text need it each.'
    issueIn(check, template, 'the mail does not show the code.', cure, partial)
  }
}

/** Whether the layout shows what it is given. */
function checkLayout(check: RenderCheck, layout: Render, context: object): boolean {
  const html = tryRender(check, layout, { ...context, body: new Handlebars.SafeString(BODY) })
  if (html === null) return false
  checkHtml(check, layout, html)
  if (html.includes(BODY)) return true
  issueIn(check, layout, 'the layout lacks its body.', 'Write {{body}} where it goes.')
  return false
}

function checkHtml(check: RenderCheck, template: Render, html: string): void {
  if (template.format === 'html' && html.includes(HOSTILE_TAG)) {
    issueIn(check, template, 'a variable reaches the HTML unescaped.', 'Write it with two braces.')
  }
  checkWords(check, template, visibleText(html))
}

function checkWords(check: RenderCheck, template: Render, shown: string): void {
  if (!shown.includes('[object Object]')) return
  issueIn(check, template, 'it prints [object Object].', 'Write a member of the variable, such as site.name.')
}

/** Without tags, comments and what stands in the head: what a reader sees. Conditional comments of Outlook are left out. */
function visibleText(html: string): string {
  return html
    .replace(/<!--[^]*?-->/g, '')
    .replace(/<(head|style|script|title)\b[^>]*>[^]*?<\/\1\s*>/gi, '')
    .replace(/<[a-z/!?][^>]*>/gi, '\0')
}

function renderLayout(check: RenderCheck, layout: Render, context: object, body: string): string {
  return tryRender(check, layout, { ...context, body: new Handlebars.SafeString(body) }) ?? body
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

/** At the partial that makes the mistake, or at the first file of the host's that the built-in template uses. */
function issueIn(check: RenderCheck, template: Render, message: string, cure: string, partial?: Reference): void {
  const candidates = [...(partial ? partialFiles(check, partial.name, template) : []), template.file]
  const file = candidates.find(check.isHostFile) ?? partialsUsedBy(check, template).find(check.isHostFile)
  check.report({ file: file ?? template.file, line: 1, column: 1, message, cure })
}

function partialsUsedBy(check: RenderCheck, template: Render): string[] {
  const names = check.used.partials.filter(({ file }) => file === template.file).map(({ name }) => name)
  return names.flatMap((name) => partialFiles(check, name, template))
}

function partialFiles({ views }: RenderCheck, name: string, template: Render): string[] {
  const partial = views.partials[template.format][name]
  return partial ? [partial.file] : []
}
