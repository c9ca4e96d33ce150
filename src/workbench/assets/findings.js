import { contrastOf, styleOf } from './contrast.js'
import { setScheme } from './scheme.js'

/** Findings of one document, at the width of its frame. */
export function findingsOf(doc, { isMail, code, direction: wanted }) {
  const findings = []
  const root = doc.scrollingElement || doc.documentElement
  if (root.scrollWidth > doc.defaultView.innerWidth) {
    const isWide = (one) => one.getBoundingClientRect().right > root.clientWidth + 1
    const wide = [...doc.body.querySelectorAll('*')].find((one) => isWide(one) && ![...one.children].some(isWide))
    add(
      'overflow',
      `It is ${root.scrollWidth} px wide at 320 px.`,
      `Let ${wide ? describe(wide) : 'it'} shrink or wrap.`,
    )
  }
  for (const scheme of ['light', 'dark']) {
    setScheme(doc, scheme)
    addContrast(scheme, false)
  }
  setScheme(doc, 'light')
  if (isMail) addContrast('inverted', true)
  addDirection()
  if (code) addCode()
  return findings

  function add(rule, message, cure) {
    findings.push({ rule, message, cure })
  }

  function addContrast(scheme, isInverted) {
    const seen = new Set()
    for (const node of textNodes(doc)) {
      const element = node.parentElement
      const found = contrastOf(element, isInverted)
      if (!found || found.ratio >= found.needed) continue
      const key = `${found.ink} ${found.ground} ${code !== '' && node.data.includes(code)}`
      if (seen.has(key)) continue
      seen.add(key)
      const ratio = found.ratio.toFixed(1)
      const excerpt = node.data.trim().slice(0, 40)
      const message = `"${excerpt}" has a contrast of ${ratio}:1 in ${scheme}, ${found.ink} on ${found.ground}.`
      add(`contrast-${scheme}`, message, `Text needs ${found.needed}:1.`)
    }
  }

  function addDirection() {
    const direction = doc.defaultView.getComputedStyle(doc.body).direction
    if (wanted && direction !== wanted) {
      add('direction', `It runs ${direction}, and its language runs ${wanted}.`, 'Write dir="{{dir}}" on <html>.')
    }
  }

  function addCode() {
    const nodes = textNodes(doc).filter((node) => node.data.includes(code))
    if (nodes.length === 0) {
      add(
        'code-hidden',
        'No reader sees the code: it is not there, or something hides it.',
        'Write {{> code}} where it shows.',
      )
    }
    for (const node of nodes) {
      const range = doc.createRange()
      const start = node.data.indexOf(code)
      range.setStart(node, start)
      range.setEnd(node, start + code.length)
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
      if (lines.size > 1)
        add('code-wraps', 'The code breaks in two at 320 px.', 'Write white-space: nowrap, and smaller digits.')
      const { direction, unicodeBidi } = doc.defaultView.getComputedStyle(node.parentElement)
      if (direction === 'rtl' && !/plaintext/.test(unicodeBidi)) {
        add('code-direction', 'The code stands in text that runs from right to left.', 'Put it into <span dir="ltr">.')
      }
    }
  }
}

/** Text that a reader sees. */
function textNodes(doc) {
  const walker = doc.createTreeWalker(doc.body, 4)
  const nodes = []
  while (walker.nextNode()) {
    const node = walker.currentNode
    if (/[\p{L}\p{N}]/u.test(node.data) && isVisible(node)) nodes.push(node)
  }
  return nodes
}

function isVisible(node) {
  const range = node.ownerDocument.createRange()
  range.selectNodeContents(node)
  const { width, height } = range.getBoundingClientRect()
  if (width < 1 || height < 1) return false
  for (let one = node.parentElement; one; one = one.parentElement) {
    const style = styleOf(one)
    const isClipped =
      style.overflow !== 'visible' && (one.clientHeight <= 1 || one.clientWidth <= 1) && style.display !== 'inline'
    if (isClipped || style.visibility === 'hidden' || style.opacity === '0' || style.fontSize === '0px') return false
    if (/^(script|style|noscript|title)$/i.test(one.tagName)) return false
  }
  return true
}

function describe(element) {
  const text = element.textContent.trim().slice(0, 30)
  return `<${element.tagName.toLowerCase()}>${text ? ` with "${text}"` : ''}`
}
