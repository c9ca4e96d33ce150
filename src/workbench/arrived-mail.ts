import PostalMime, { type Email } from 'postal-mime'

/** A mail as a mail client reads it: from its bytes, and nothing else. */
export interface ArrivedMail {
  readonly raw: Buffer
  readonly email: Email
}

export async function readMail(raw: Buffer): Promise<ArrivedMail> {
  return { raw, email: await PostalMime.parse(raw) }
}

/** The HTML with the attached images in it, since a browser knows no `cid:` (RFC 2392). */
export function htmlWithImages({ email }: ArrivedMail): string {
  return (email.html ?? '').replace(/\bcid:([^"'\s)>]+)/gi, (url, id: string) => {
    const image = email.attachments.find(({ contentId }) => contentId === `<${decode(id)}>`)
    if (!image || typeof image.content === 'string') return url
    const bytes = Buffer.from(new Uint8Array(image.content))
    return `data:${image.mimeType};base64,${bytes.toString('base64')}`
  })
}

/** A template, or a value in it, may hold any text behind `cid:`. */
function decode(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
