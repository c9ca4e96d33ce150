import { type ArrivedMail, htmlWithImages } from './arrived-mail.js'
import { headerNote } from './header-notes.js'
import { type MimePart, mimeTree } from './mime-tree.js'

/** All that the workbench shows of a message. */
export interface MessageView {
  readonly from: string
  readonly to: string
  readonly subject: string
  /** What a list of mails shows behind the subject: the beginning of what the mail says. */
  readonly snippet: string
  readonly html: string
  readonly textLines: readonly { readonly text: string; readonly isLong: boolean }[]
  readonly source: string
  readonly headers: readonly { readonly name: string; readonly value: string; readonly note: string }[]
  /** One line a part, with its depth. */
  readonly parts: readonly (Omit<MimePart, 'parts'> & { readonly depth: number; readonly size: string })[]
  readonly size: { readonly html: number; readonly htmlText: string; readonly message: string }
}

/** RFC 5322 2.1.1 */
const MAX_COLUMNS = 78
/** More than any list of mails shows. */
const SNIPPET_LENGTH = 220

export function messageView(mail: ArrivedMail): MessageView {
  const { email, raw } = mail
  const { text = '', html = '' } = email
  const htmlBytes = Buffer.byteLength(html)
  return {
    from: email.from?.name || email.from?.address || '',
    to: (email.to ?? []).map(({ name, address }) => address ?? name).join(', '),
    subject: email.subject ?? '',
    snippet: html ? visibleText(html).slice(0, SNIPPET_LENGTH) : text.replace(/\s+/g, ' ').slice(0, SNIPPET_LENGTH),
    html: htmlWithImages(mail),
    textLines: text
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => ({ text: line, isLong: [...line].length > MAX_COLUMNS })),
    source: html,
    headers: email.headers.map(({ key, originalKey, value }) => ({ name: originalKey, value, note: headerNote(key) })),
    parts: flatten(mimeTree(raw), 0),
    size: { html: htmlBytes, htmlText: kilobytes(htmlBytes), message: kilobytes(raw.length) },
  }
}

export function kilobytes(bytes: number): string {
  return bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(1)} KB`
}

function flatten({ parts, ...part }: MimePart, depth: number): MessageView['parts'] {
  return [{ ...part, depth, size: kilobytes(part.bytes) }, ...parts.flatMap((one) => flatten(one, depth + 1))]
}

/** As a list of mails reads it: hidden text counts, what only pads does not. */
function visibleText(html: string): string {
  return html
    .replace(/<!--[^]*?-->|<(head|style|script|title)\b[^>]*>[^]*?<\/\1\s*>/gi, '')
    .replace(/<[a-z/!?][^>]*>/gi, ' ')
    .replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (entity, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16))
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      return ENTITIES[name ?? ''] ?? entity
    })
    .replace(/\s+/g, ' ')
    .trim()
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', zwnj: '\u200c', shy: '\u00ad' },
}
