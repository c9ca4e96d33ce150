const MIN_RATIO = 4.5
const MIN_RATIO_LARGE = 3

/** Colours of CSS that were read before. */
const parsed = new Map()
const canvas = document.createElement('canvas')
canvas.width = canvas.height = 1
const context = canvas.getContext('2d', { willReadFrequently: true })

/** The ratio of WCAG 2.2; null over an image, where no single colour is behind the text. */
export function contrastOf(element, isInverted) {
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

export function styleOf(element) {
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
