import { HOSTILE_TAG } from '../samples.js'
import { type MailPart, type MailRule, PARTS, type Problem, problem, type ReadMail } from './rule.js'

export const CONTENT_RULES: readonly MailRule[] = [
  { rule: 'subject-empty', level: 'error', find: findEmptySubject },
  { rule: 'html-empty', level: 'error', find: findEmptyHtml },
  { rule: 'text-empty', level: 'error', find: findEmptyText },
  { rule: 'prints-object', level: 'error', find: findObjects },
  { rule: 'prints-undefined', level: 'error', find: findUndefined },
  { rule: 'unescaped', level: 'error', find: findUnescaped },
  { rule: 'other-number', level: 'warning', find: findNumbers },
  { rule: 'long-line', level: 'warning', find: findLongLine },
]

function findEmptySubject({ subject }: ReadMail): Problem[] {
  return subject.trim() ? [] : [problem('subject', 'the subject is empty.', 'Write one line of text.')]
}

function findEmptyHtml({ shown }: ReadMail): Problem[] {
  return shown.html.replace(/[\s\0]/g, '') ? [] : [problem('html', 'the mail is empty.', 'Write its text.')]
}

function findEmptyText({ text }: ReadMail): Problem[] {
  return text.trim() ? [] : [problem('text', 'the text of the mail is empty.', 'Write it: some read only this.')]
}

function findObjects({ shown }: ReadMail): Problem[] {
  const cure = 'Write a member of the variable, such as site.name.'
  return PARTS.filter((part) => shown[part].includes('[object Object]')).map((part) =>
    problem(part, 'it prints [object Object].', cure),
  )
}

/** As JavaScript prints what is missing. Not if it is a word of the action or of a name; `custom` may have no JSON. */
function findUndefined({ shown, context }: ReadMail): Problem[] {
  const printed = /(?<![\w-])undefined(?![\w-])/
  if (printed.test(JSON.stringify({ ...context, custom: null }))) return []
  const cure = 'Give the value, or ask for it with {{#if}} first.'
  return PARTS.filter((part) => printed.test(shown[part])).map((part) =>
    problem(part, 'it prints "undefined".', cure, 'undefined'),
  )
}

function findUnescaped({ html, context: { site, purposeText, recipient } }: ReadMail): Problem[] {
  const values = [site.name, purposeText, recipient.name, recipient.masked]
  const tags = values.filter((value) => /<[a-z/!]/i.test(value))
  const raw = tags.map((value) => (value.includes(HOSTILE_TAG) ? HOSTILE_TAG : value))
  if (!raw.some((value) => html.includes(value))) return []
  return [problem('html', 'a variable reaches the HTML unescaped.', 'Write it with two braces.')]
}

function findNumbers(mail: ReadMail): Problem[] {
  const cure = 'Mail programs take it for the code: leave it out, or break it with a space.'
  return PARTS.flatMap((part) =>
    foreignNumbers(mail, part).map((one) => problem(part, `beside the code it has the number ${one}.`, cure, one)),
  )
}

/** Runs of 4 to 8 digits that are neither the code nor what the host says of the action and of itself. */
function foreignNumbers({ shown, context }: ReadMail, part: MailPart): string[] {
  const { code, boundLine, purposeText, recipient, site, brand } = context
  if (code === '') return []
  const own = JSON.stringify([code, boundLine, purposeText, recipient, site, brand.address])
  const numbers = shown[part].match(/(?<![\p{L}\p{Nd}])\p{Nd}{4,8}(?![\p{L}\p{Nd}])/gu) ?? []
  return [...new Set(numbers)].filter((one) => !own.includes(one))
}

/** Longer lines are broken by servers and read badly (RFC 5322 2.1.1). */
const MAX_COLUMNS = 78

/** A line with a longer word, such as a URL, has no place to break it at. */
function findLongLine({ text }: ReadMail): Problem[] {
  const line = text.split('\n').find((one) => one.length > MAX_COLUMNS && !/\S{79}/.test(one))
  if (line === undefined) return []
  return [problem('text', `a line has more than ${MAX_COLUMNS} columns.`, 'Break it.', line)]
}
