import Handlebars from 'handlebars'
import type { OtpError } from '../../errors.js'

/** For development: the page that tells the mistakes in `views`. It needs no template of the host's, and no style sheet. */
export function mistakesPage({ message, issues }: OtpError): string {
  const escape = Handlebars.escapeExpression
  const items = issues.map(({ file, line, column, message: mistake, cure }) => {
    return `<li><p><code>${escape(`${file}:${line}:${column}`)}</code></p><p>${escape(mistake)} ${escape(cure)}</p></li>\n`
  })
  const list = items.length > 0 ? `<ul>\n${items.join('')}</ul>` : `<p>${escape(message)}</p>`
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Mistakes in views</title>\n</head>\n<body>\n' +
    `<h1>Mistakes in views</h1>\n<p>This page is shown outside production only, until they are mended.</p>\n${list}\n</body>\n</html>\n`
  )
}
