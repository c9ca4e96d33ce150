import { readHtml, singleSpaced } from '../views/mail-rules/read-html.js'
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
    from: senderOf(email),
    to: (email.to ?? []).map(({ name, address }) => address ?? name).join(', '),
    subject: email.subject ?? '',
    snippet: (html ? readHtml(html).preview : singleSpaced(text)).slice(0, SNIPPET_LENGTH),
    html: htmlWithImages(mail),
    textLines: text
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => ({ text: line, isLong: line.length > MAX_COLUMNS })),
    source: html,
    headers: email.headers.map(({ key, originalKey, value }) => ({ name: originalKey, value, note: headerNote(key) })),
    parts: flatten(mimeTree(raw), 0),
    size: { html: htmlBytes, htmlText: kilobytes(htmlBytes), message: kilobytes(raw.length) },
  }
}

function senderOf({ from }: ArrivedMail['email']): string {
  return from?.name === '' ? (from.address ?? '') : (from?.name ?? '')
}

export function kilobytes(bytes: number): string {
  return bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(1)} KB`
}

function flatten({ parts, ...part }: MimePart, depth: number): MessageView['parts'] {
  return [{ ...part, depth, size: kilobytes(part.bytes) }, ...parts.flatMap((one) => flatten(one, depth + 1))]
}
