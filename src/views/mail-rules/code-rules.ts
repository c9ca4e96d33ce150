import { singleSpaced, TAG } from './read-html.js'
import { type MailRule, PARTS, type Problem, problem, type ReadMail } from './rule.js'

export const CODE_RULES: readonly MailRule[] = [
  { rule: 'code-missing', level: 'error', find: (mail) => findMistakes(mail, 'code-missing') },
  { rule: 'code-fixed', level: 'error', find: (mail) => findMistakes(mail, 'code-fixed') },
  { rule: 'code-split', level: 'error', find: (mail) => findMistakes(mail, 'code-split') },
  { rule: 'code-letters', level: 'warning', find: findLetters },
  { rule: 'preview-shows-code', level: 'warning', find: findInPreview },
  { rule: 'bound-line', level: 'warning', find: findBoundLine },
]

/** What is wrong with the code in HTML or text, where it does not stand as one run. */
interface Mistake {
  readonly rule: 'code-missing' | 'code-fixed' | 'code-split'
  readonly message: string
  readonly excerpt: string
}

const CURES: Readonly<Record<Mistake['rule'], string>> = {
  'code-missing': 'Write {{code}} or {{> code}}. HTML and text need it each.',
  'code-fixed': 'Write {{code}} instead.',
  'code-split': 'Write {{code}}, and space it with `letter-spacing`.',
}

function findMistakes({ shown, context }: ReadMail, rule: Mistake['rule']): Problem[] {
  return (['html', 'text'] as const).flatMap((part) => {
    if (shown[part].trim() === '') return []
    const mistake = mistakeIn(withoutBoundLine(shown[part], context.boundLine), context.code)
    return mistake?.rule === rule ? [problem(part, mistake.message, CURES[rule], mistake.excerpt)] : []
  })
}

function mistakeIn(shown: string, code: string): Mistake | null {
  if (code === '' || hasRun(shown, code)) return null
  if (!shown.includes(code) && shown.replace(/[^A-Za-z0-9]/g, '').includes(code.replaceAll('-', ''))) {
    return { rule: 'code-split', message: 'the code is split.', excerpt: '' }
  }
  const fixed = /(?<![\w#&])\d{4,8}(?!\w)/.exec(shown)?.[0]
  if (fixed === undefined) return { rule: 'code-missing', message: 'the mail does not show the code.', excerpt: '' }
  return { rule: 'code-fixed', message: `the code is missing, and ${fixed} is there for all.`, excerpt: fixed }
}

/** The bound line is for programs: a text must show the code to people too. */
function withoutBoundLine(text: string, boundLine: string): string {
  return boundLine === '' ? text : text.replace(boundLine, '')
}

/** Whether the code is there, and not as a part of something longer. */
function hasRun(shown: string, code: string): boolean {
  return new RegExp(`(?<![A-Za-z0-9])${code}(?![A-Za-z0-9])`).test(shown)
}

/** Beside the whole code, which programs find, one whose characters have a tag each: read out as so many numbers. */
function findLetters({ read: { visible }, context: { code } }: ReadMail): Problem[] {
  const letters = new RegExp(Array.from(code, (one) => one).join(`${TAG}[${TAG}\\s]*`))
  if (code === '' || !hasRun(visible, code) || !letters.test(visible)) return []
  const message = 'the code stands there a second time, with a tag for each character.'
  return [problem('html', message, CURES['code-split'])]
}

/** What a lock screen shows at most. */
const PREVIEW_LENGTH = 140

const PREVIEW_CURES = {
  subject: 'Write it in {{#if codeInSubject}}.',
  preheader: 'Leave it out.',
  html: 'Pad the preheader with `&#847;&zwnj;&nbsp;`, or write more in front of the code.',
  text: 'Write more in front of the code.',
}

/** Rule H8: what is kept out of the subject is kept off the lock screen. */
function findInPreview({ shown, read, context: { code, codeInSubject } }: ReadMail): Problem[] {
  if (code === '' || codeInSubject) return []
  const previews = { ...shown, html: read.preview, text: singleSpaced(shown.text) }
  const beginning = (text: string): string => text.slice(0, PREVIEW_LENGTH + code.length - 1)
  return PARTS.filter((part) => beginning(previews[part]).includes(code)).map((part) =>
    problem(part, 'a lock screen shows the code.', PREVIEW_CURES[part], code),
  )
}

function findBoundLine({ text, context: { boundLine } }: ReadMail): Problem[] {
  if (boundLine === '' || text.trimEnd().split('\n').at(-1) === boundLine) return []
  return [problem('text', 'the line that binds the code to the site is not the last.', 'End it with {{boundLine}}.')]
}
