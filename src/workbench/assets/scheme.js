/** What each media query and attribute was before it was rewritten. */
const originals = new WeakMap()

/**
 * Shows a document in light or dark colours, whatever this browser prefers: `prefers-color-scheme` cannot be set from
 * outside, so its media queries are rewritten, in place and only in this frame.
 */
export function setScheme(doc, scheme) {
  const rewrite = (object, property) => {
    if (!originals.has(object)) originals.set(object, object[property])
    const text = originals
      .get(object)
      .replace(/\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi, (_all, name) =>
        name.toLowerCase() === scheme ? '(min-width: 0px)' : '(max-width: 0px)',
      )
    if (text !== object[property]) object[property] = text
  }
  const rewriteRules = (rules) => {
    for (const rule of rules) {
      if (rule.media) rewrite(rule.media, 'mediaText')
      if (rule.styleSheet) rewriteRules(rulesOf(rule.styleSheet))
      else if (rule.cssRules) rewriteRules(rule.cssRules)
    }
  }
  for (const element of doc.querySelectorAll('[media]')) rewrite(element, 'media')
  for (const sheet of doc.styleSheets) rewriteRules(rulesOf(sheet))
  const root = doc.documentElement
  root.style.colorScheme = ''
  const meta = doc.querySelector('meta[name="color-scheme"]')
  const own = doc.defaultView.getComputedStyle(root).colorScheme
  const supported = own === 'normal' ? (meta ? meta.content : '') : own
  root.style.colorScheme = supported.includes(scheme) ? scheme : 'light'
}

/** Of another origin they cannot be read. */
function rulesOf(sheet) {
  try {
    return sheet.cssRules
  } catch {
    return []
  }
}

/** As Gmail does for some readers. */
export function setStyleSheets(doc, areUsed) {
  for (const sheet of doc.styleSheets) sheet.disabled = !areUsed
}

/** Clients that invert colours leave images alone, so these are inverted once more. */
export function setInverted(doc, isInverted) {
  for (const image of doc.images) image.style.filter = isInverted ? 'invert(1) hue-rotate(180deg)' : ''
}
