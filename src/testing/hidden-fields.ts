const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The hidden fields of the forms on a page, by name. */
export function hiddenFields(html: string): Record<string, string> {
  const inputs = html.match(/<input\b[^>]*>/gi) ?? []
  const hidden = inputs.filter((input) => attribute(input, 'type') === 'hidden')
  return Object.fromEntries(hidden.map((input) => [attribute(input, 'name'), attribute(input, 'value')]))
}

function attribute(tag: string, name: string): string {
  const [, , value = ''] = new RegExp(`\\s${name}\\s*=\\s*(["']?)(.*?)\\1(?=[\\s/>])`, 'is').exec(tag) ?? []
  return value.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (entity, hex?: string, decimal?: string, word?: string) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return ENTITIES[word ?? ''] ?? entity
  })
}
