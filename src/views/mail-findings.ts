import type { MailContext } from './context.js'
import { CODE_RULES } from './mail-rules/code-rules.js'
import { CONTENT_RULES } from './mail-rules/content-rules.js'
import { HTML_RULES } from './mail-rules/html-rules.js'
import { readHtml } from './mail-rules/read-html.js'
import type { Level, MailRule, MailParts, Problem, ReadMail } from './mail-rules/rule.js'

export type { Level, MailPart, MailParts } from './mail-rules/rule.js'

/** What is wrong in a rendered mail. */
export interface Finding extends Problem {
  readonly level: Level
  /** Id of the rule. docs/template-reference.md has them all. */
  readonly rule: string
}

/** All rules for mails, the errors of contents first. */
export const MAIL_RULES: readonly MailRule[] = [...CONTENT_RULES, ...CODE_RULES, ...HTML_RULES]
const ERROR_RULES = MAIL_RULES.filter(({ level }) => level === 'error')

/** All that is wrong in a mail that was rendered with this context. Pure: the same for start, tests and previews. */
export function findInMail(texts: MailParts, context: MailContext): Finding[] {
  return find(MAIL_RULES, texts, context)
}

/** Only the errors: what would make the mail useless. For a mail about to be sent. */
export function findErrorsInMail(texts: MailParts, context: MailContext): Finding[] {
  return find(ERROR_RULES, texts, context)
}

function find(
  rules: readonly MailRule[],
  { subject, preheader, html, text }: MailParts,
  context: MailContext,
): Finding[] {
  const read = readHtml(html)
  const shown = { subject, preheader, html: read.visible, text }
  const mail: ReadMail = { subject, preheader, html, text, read, shown, context }
  return rules.flatMap(({ rule, level, find: findProblems }) =>
    findProblems(mail).map((one) => ({ ...one, level, rule })),
  )
}
