/** A part of a message, with the parts inside of it. */
export interface MimePart {
  readonly type: string
  /** What else its header says of it: charset, encoding, file name, Content-ID. */
  readonly details: string
  readonly bytes: number
  readonly parts: readonly MimePart[]
}

const MAX_DEPTH = 10

/** The structure of a message (RFC 2046 5.1). */
export function mimeTree(raw: Buffer): MimePart {
  return readPart(raw.toString('latin1'), 0)
}

function readPart(source: string, depth: number): MimePart {
  const [head = ''] = source.split(/\r?\n\r?\n/, 1)
  const header = head.replace(/\r?\n[ \t]+/g, ' ')
  const contentType = valueOf(header, 'Content-Type') || 'text/plain'
  const [type = ''] = contentType.split(';')
  const boundary = parameter(contentType, 'boundary')
  const isMultipart = /^multipart\//i.test(type) && boundary !== '' && depth < MAX_DEPTH
  return {
    type: type.trim().toLowerCase(),
    details: [
      parameter(contentType, 'charset'),
      valueOf(header, 'Content-Transfer-Encoding'),
      parameter(valueOf(header, 'Content-Disposition'), 'filename'),
      valueOf(header, 'Content-ID'),
    ]
      .filter(Boolean)
      .join(' · '),
    bytes: source.length,
    parts: isMultipart ? split(source, boundary).map((part) => readPart(part, depth + 1)) : [],
  }
}

/** What stands between the lines with the boundary, without what is in front of the first and behind the last. */
function split(source: string, boundary: string): string[] {
  const [content = ''] = source.split(`\n--${boundary}--`, 1)
  return content
    .split(`\n--${boundary}`)
    .slice(1)
    .map((part) => part.replace(/^[ \t]*\r?\n/, '').replace(/\r$/, ''))
}

function valueOf(header: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'im').exec(header)?.[1]?.trim() ?? ''
}

function parameter(value: string, name: string): string {
  const [, quoted, plain = ''] = new RegExp(`;\\s*${name}="?(?:(?<=")([^"]*)|([^;"\\s]*))`, 'i').exec(value) ?? []
  return quoted ?? plain
}
