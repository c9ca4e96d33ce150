import { type MailRule, type Problem, problem, type ReadMail } from './rule.js'

export const HTML_RULES: readonly MailRule[] = [
  { rule: 'html-clipped', level: 'error', find: (mail) => findSize(mail, MAX_BYTES, Infinity) },
  { rule: 'html-large', level: 'warning', find: (mail) => findSize(mail, LARGE_BYTES, MAX_BYTES) },
  { rule: 'remote-resource', level: 'warning', find: findRemoteResources },
  { rule: 'relative-link', level: 'warning', find: findRelativeLinks },
  { rule: 'image-alt', level: 'warning', find: findImagesWithoutAlt },
  { rule: 'html-lang', level: 'warning', find: findLanguage },
]

/** Gmail clips what is longer than 102 kB, and with it the end of the mail. */
const MAX_BYTES = 100_000
const LARGE_BYTES = 80_000

function findSize({ html }: ReadMail, above: number, max: number): Problem[] {
  const bytes = Buffer.byteLength(html)
  if (bytes <= above || bytes > max) return []
  return [problem('html', `it has ${Math.ceil(bytes / 1000)} kB.`, 'Shorten it: Gmail cuts off what is behind 102 kB.')]
}

/** Many programs block them, and each tells somebody that the mail was opened. */
function findRemoteResources({ read: { elements, css } }: ReadMail): Problem[] {
  const loaded = elements.flatMap(({ name, attributes: { src, srcset, background, poster, data, href } }) =>
    name === 'link' ? [href] : [src, srcset, background, poster, data],
  )
  const inCss = [...css.matchAll(/(?:url\(|@import)\s*["']?([^"')\s;]+)/gi)].map(([, url]) => url)
  const cure = 'Leave it out. A logo goes with the mail as an attachment.'
  return distinct([...loaded, ...inCss])
    .filter((url) => /^(?:https?:)?\/\//i.test(url))
    .map((url) => problem('html', `it loads ${url}.`, cure, url))
}

/** A mail has no address of its own that a link could begin from. `cid:` is an attachment, `#` a place in the mail. */
function findRelativeLinks({ read: { elements } }: ReadMail): Problem[] {
  return distinct(elements.flatMap(({ attributes: { href, src } }) => [href, src]))
    .filter((url) => !/^(?:[a-z][a-z\d+.-]*:|#|\/\/)/i.test(url))
    .map((url) => problem('html', `the link ${url} leads nowhere.`, 'Write it with scheme and host.', url))
}

function findImagesWithoutAlt({ read: { elements } }: ReadMail): Problem[] {
  const images = elements.filter(({ name, attributes }) => name === 'img' && attributes.alt === undefined)
  const cure = 'Write alt="…", or alt="" if it says nothing.'
  return images.map(({ attributes: { src = '' } }) => problem('html', `the image ${src} has no alt.`, cure, src))
}

/** Screen readers need the language, and Arabic its direction. */
function findLanguage({ html, read: { elements } }: ReadMail): Problem[] {
  const root = elements.find(({ name }) => name === 'html')
  if (html.trim() === '' || (root?.attributes.lang && root.attributes.dir)) return []
  return [problem('html', 'its language and direction are not told.', 'Write <html lang="{{locale}}" dir="{{dir}}">.')]
}

function distinct(urls: readonly (string | undefined)[]): string[] {
  return [...new Set(urls.map((url = '') => url.trim()))].filter((url) => url !== '')
}
