import Handlebars from 'handlebars'
import type { PageContext } from '../config/page.js'
import type { ViewIssue } from '../errors.js'
import { didYouMean } from '../suggest.js'
import { noteTag } from './failure-place.js'
import type { Call } from './syntax-tree.js'

/** The URL of an asset. Browsers keep it, since another version has another URL. */
export function assetUrl({ path, assetVersion }: Pick<PageContext, 'path' | 'assetVersion'>, name: string): string {
  return `${path}/assets/${name.split('/').map(encodeURIComponent).join('/')}?v=${assetVersion}`
}

/** What is wrong with an `{{asset}}` of a page. @param assets all names */
export function assetMistake(
  { params: [argument] }: Call,
  assets: readonly string[],
): Pick<ViewIssue, 'message' | 'cure'> | null {
  if (argument?.type !== 'StringLiteral') {
    return { message: '{{asset}} has no name.', cure: 'Write it in quotes: {{asset "otp.css"}}.' }
  }
  const name = (argument as hbs.AST.StringLiteral).value
  if (assets.includes(name)) return null
  const cure = didYouMean(name, assets).trim() || `Known are: ${assets.join(', ')}.`
  return { message: `no asset has the name "${name}".`, cure }
}

/** The helper `{{asset "otp.css"}}`. Its names are checked at start, except in a partial that a mail uses too. */
export function assetHelper(name: string, options: Handlebars.HelperOptions): Handlebars.SafeString {
  const { root } = options.data as { root: Partial<PageContext> }
  const { path, assetVersion } = root
  if (path === undefined || assetVersion === undefined) {
    const error = new Error(`{{asset "${name}"}} is for pages: mails load nothing`)
    noteTag(error, options)
    throw error
  }
  const escaped = Handlebars.escapeExpression(assetUrl({ path, assetVersion }, name))
  // Handlebars escapes "=" for attributes without quotes, where it does no harm to a URL.
  return new Handlebars.SafeString(escaped.replaceAll('&#x3D;', '='))
}
