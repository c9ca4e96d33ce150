/** An opening tag. */
export interface HtmlElement {
  readonly name: string
  /** By name in small letters, entities decoded. */
  readonly attributes: Readonly<Record<string, string>>
}

/** HTML as mail programs read it. */
export interface ReadHtml {
  /** What stands outside of tags and is not hidden, with a NUL for each tag. */
  readonly visible: string
  /** What an inbox shows beside the subject: also hidden text, such as the preheader, with single spaces. */
  readonly preview: string
  readonly elements: readonly HtmlElement[]
  /** Style sheets and styles of elements. */
  readonly css: string
}

/** Stands for a tag. */
export const TAG = '\0'

// What is not closed goes on to the end, as in browsers, so that each expression passes a text once. Comments of Outlook
// count as comments, as for all others.
const COMMENT = /<!--[^]*?(?:-->|$)/g
const NOT_SHOWN = /<(head|style|script|title)\b[^>]*>[^]*?(?:<\/\1\s*>|$)/gi
const ANY_TAG = /<(\/?)([a-z!?][\w:-]*)((?:=\s*"[^"]*(?:"|$)|=\s*'[^']*(?:'|$)|[^>])*)(?:>|$)/gi
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g
const STYLE_SHEET = /<style\b[^>]*>([^]*?)(?:<\/style\s*>|$)/gi
/** What hides all that is in an element. Not `font-size: 0`, since tools write it around text of another size. */
const HIDING_STYLE = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0?(?:\.0*)?\s*(?:[;!]|$))/i
const ZERO_HEIGHT = /(?:^|;)\s*(?:max-)?height\s*:\s*0(?:px)?\s*(?:[;!]|$)/i
const HIDING_ELEMENT = /^(?:template|noscript|textarea|defs)$/
/** Elements that have no end. */
const VOID = /^(?:area|br|col|embed|hr|img|input|link|meta|source|wbr|[!?].*)$/

export function readHtml(html: string): ReadHtml {
  const source = html.replace(COMMENT, '')
  const body = source.replace(NOT_SHOWN, '')
  const elements = [...source.matchAll(ANY_TAG)].filter(([, slash]) => slash === '').map(readElement)
  const styles = elements.map(({ attributes }) => attributes.style ?? '')
  const styleSheets = [...source.matchAll(STYLE_SHEET)].map(([, css = '']) => css)
  return {
    visible: visibleText(body),
    preview: singleSpaced(decode(body.replace(ANY_TAG, ' '))),
    elements,
    css: [...styleSheets, ...styles].join('\n'),
  }
}

function visibleText(html: string): string {
  const shown: string[] = []
  let offset = 0
  let hidden = { name: '', depth: 0 }
  for (const tag of html.matchAll(ANY_TAG)) {
    if (hidden.depth === 0) shown.push(html.slice(offset, tag.index), TAG)
    offset = tag.index + tag[0].length
    const element = readElement(tag)
    const { name } = element
    const isEnd = tag[1] === '/'
    if (name === hidden.name) hidden.depth += isEnd ? -1 : 1
    else if (hidden.depth === 0 && !isEnd && !VOID.test(name) && isHidden(element)) hidden = { name, depth: 1 }
    if (hidden.depth === 0) hidden.name = ''
  }
  if (hidden.depth === 0) shown.push(html.slice(offset))
  return decode(shown.join(''))
}

function isHidden({ name, attributes: { style = '', hidden } }: HtmlElement): boolean {
  const isClipped = /overflow\s*:\s*hidden/i.test(style) && ZERO_HEIGHT.test(style)
  return hidden !== undefined || isClipped || HIDING_STYLE.test(style) || HIDING_ELEMENT.test(name)
}

function readElement([, , name = '', attributes = '']: readonly string[]): HtmlElement {
  return { name: name.toLowerCase(), attributes: readAttributes(attributes) }
}

/** Without runs of white space. A no-break space counts as a letter, as in HTML. */
export function singleSpaced(text: string): string {
  return text.replace(/[ \t\r\n\f\0]+/g, ' ').trim()
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' },
  ...{ zwnj: '\u200c', zwj: '\u200d', shy: '\u00ad', ensp: '\u2002', emsp: '\u2003', thinsp: '\u2009' },
}

function decode(text: string): string {
  return text.replace(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (entity, hex?: string, decimal?: string, name = '') => {
      const codePoint = hex === undefined ? Number(decimal) : parseInt(hex, 16)
      if (codePoint <= 0x10ffff) return String.fromCodePoint(codePoint)
      return ENTITIES[String(name)] ?? entity
    },
  )
}
