'use strict'

/**
 * What needs layout is measured by the browser that shows it. The documents are of this origin and run no scripts, so this
 * page may read and change them.
 */
const measure = (() => {
  const MIN_RATIO = 4.5
  const MIN_RATIO_LARGE = 3
  const originals = new WeakMap()
  const parsed = new Map()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const context = canvas.getContext('2d', { willReadFrequently: true })

  /**
   * Shows a document in light or dark colours, whatever this browser prefers: `prefers-color-scheme` cannot be set from
   * outside, so its media queries are rewritten, in place and only in this frame.
   */
  function setScheme(doc, scheme) {
    const rewrite = (object, property) => {
      if (!originals.has(object)) originals.set(object, object[property])
      const text = originals.get(object).replace(/\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi, (_all, name) =>
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
  function setStyleSheets(doc, areUsed) {
    for (const sheet of doc.styleSheets) sheet.disabled = !areUsed
  }

  /** Clients that invert colours leave images alone, so these are inverted once more. */
  function setInverted(doc, isInverted) {
    for (const image of doc.images) image.style.filter = isInverted ? 'invert(1) hue-rotate(180deg)' : ''
  }

  /** Findings of one document, at the width of its frame. */
  function findingsOf(doc, { isMail, code, direction: wanted }) {
    const findings = []
    const root = doc.scrollingElement || doc.documentElement
    if (root.scrollWidth > doc.defaultView.innerWidth) {
      const wide = [...doc.body.querySelectorAll('*')].find((one) => one.getBoundingClientRect().right > root.clientWidth + 1)
      add('overflow', `It is ${root.scrollWidth} px wide at 320 px.`, `Let ${wide ? describe(wide) : 'it'} shrink or wrap.`)
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
        const key = `${found.ink} ${found.ground}`
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
      for (const node of nodes) {
        const range = doc.createRange()
        const start = node.data.indexOf(code)
        range.setStart(node, start)
        range.setEnd(node, start + code.length)
        const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
        if (lines.size > 1) add('code-wraps', 'The code breaks in two at 320 px.', 'Write white-space: nowrap, and smaller digits.')
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
      const isClipped = style.overflow !== 'visible' && (one.clientHeight <= 1 || one.clientWidth <= 1) && style.display !== 'inline'
      if (isClipped || style.visibility === 'hidden' || style.opacity === '0' || style.fontSize === '0px') return false
      if (/^(script|style|noscript|title)$/i.test(one.tagName)) return false
    }
    return true
  }

  /** The ratio of WCAG 2.2; null over an image, where no single colour is behind the text. */
  function contrastOf(element, isInverted) {
    const style = styleOf(element)
    const ground = groundOf(element)
    if (ground === null) return null
    const ink = blend(colourOf(style.color), ground)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    const pair = isInverted ? [invert(ink), invert(ground)] : [ink, ground]
    const [a, b] = pair.map(luminance)
    return {
      ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      needed: isLarge ? MIN_RATIO_LARGE : MIN_RATIO,
      ink: hex(pair[0]),
      ground: hex(pair[1]),
    }
  }

  function groundOf(element) {
    const layers = []
    for (let one = element; one; one = one.parentElement) {
      const style = styleOf(one)
      if (style.backgroundImage !== 'none') return null
      const colour = colourOf(style.backgroundColor)
      layers.unshift(colour)
      if (colour[3] === 255) break
    }
    const isDark = styleOf(element.ownerDocument.documentElement).colorScheme === 'dark'
    return layers.reduce((below, colour) => blend(colour, below), isDark ? [18, 18, 18, 255] : [255, 255, 255, 255])
  }

  function styleOf(element) {
    return element.ownerDocument.defaultView.getComputedStyle(element)
  }

  /** Any colour of CSS as red, green, blue, alpha. */
  function colourOf(text) {
    if (parsed.has(text)) return parsed.get(text)
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = '#000'
    context.fillStyle = text
    context.fillRect(0, 0, 1, 1)
    const colour = [...context.getImageData(0, 0, 1, 1).data]
    parsed.set(text, colour)
    return colour
  }

  function blend([r, g, b, alpha], below) {
    const part = alpha / 255
    return [...[r, g, b].map((one, i) => one * part + below[i] * (1 - part)), 255]
  }

  /** `invert(1) hue-rotate(180deg)`, the filter that the frame is shown with (Filter Effects 1, hueRotate). */
  function invert([red, green, blue]) {
    const [r, g, b] = [255 - red, 255 - green, 255 - blue]
    const rows = [
      [-0.574, 1.43, 0.144],
      [0.426, 0.43, 0.144],
      [0.426, 1.43, -0.856],
    ]
    return [...rows.map(([x, y, z]) => Math.min(255, Math.max(0, x * r + y * g + z * b))), 255]
  }

  function luminance([r, g, b]) {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }

  function hex([r, g, b]) {
    return `#${[r, g, b].map((one) => Math.round(one).toString(16).padStart(2, '0')).join('')}`
  }

  function describe(element) {
    const text = element.textContent.trim().slice(0, 30)
    return `<${element.tagName.toLowerCase()}>${text ? ` with "${text}"` : ''}`
  }

  return { setScheme, setStyleSheets, setInverted, findingsOf }
})()
