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

// What is not closed goes on to the end, as in browsers. Comments of Outlook count as comments, as for all others.
const COMMENT = /<!--[^]*?(?:-->|$)/g
const NOT_SHOWN = /<(head|style|script|title)\b[^>]*>[^]*?(?:<\/\1\s*>|$)/gi
const HIDDEN = /<([a-z][\w-]*)\b[^>]*\sstyle\s*=\s*(?:"[^"]*|'[^']*)display\s*:\s*none[^>]*>[^]*?<\/\1\s*>/gi
const ANY_TAG = /<[a-z/!?](?:"[^"]*"|'[^']*'|[^"'>])*>/gi
const OPENING_TAG = /<([a-z][\w:-]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g
const STYLE_SHEET = /<style\b[^>]*>([^]*?)(?:<\/style\s*>|$)/gi

export function readHtml(html: string): ReadHtml {
  const source = html.replace(COMMENT, '')
  const body = source.replace(NOT_SHOWN, '')
  const elements = [...source.matchAll(OPENING_TAG)].map(([, name = '', attributes = '']) => ({
    name: name.toLowerCase(),
    attributes: readAttributes(attributes),
  }))
  const styles = elements.map(({ attributes }) => attributes.style ?? '')
  const styleSheets = [...source.matchAll(STYLE_SHEET)].map(([, css = '']) => css)
  return {
    visible: decode(body.replace(HIDDEN, TAG).replace(ANY_TAG, TAG)),
    preview: singleSpaced(decode(body.replace(ANY_TAG, ' '))),
    elements,
    css: [...styleSheets, ...styles].join('\n'),
  }
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
