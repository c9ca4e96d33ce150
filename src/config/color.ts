/** WCAG 2.2, 1.4.3, for text of any size. */
export const MIN_CONTRAST = 4.5

/** `#rrggbb` in lower case; null if it is neither that nor `#rgb`. */
export function parseColor(value: unknown): string | null {
  if (typeof value !== 'string' || !/^#([0-9a-f]{3}){1,2}$/i.test(value)) return null
  const color = value.toLowerCase()
  return color.length === 4 ? color.replace(/[^#]/g, '$&$&') : color
}

/** The lowest contrast of a colour on some grounds, 1 to 21. */
export function contrast(color: string, grounds: readonly string[]): number {
  const ratios = grounds.map((ground) => {
    const [lower = 0, higher = 0] = [luminance(color), luminance(ground)].sort((a, b) => a - b)
    return (higher + 0.05) / (lower + 0.05)
  })
  return Math.min(...ratios)
}

/** The nearest shade with enough contrast on all grounds, of the same hue: towards black on light ones, else towards white. */
export function readableShade(color: string, grounds: readonly string[]): string {
  const end = grounds.every((ground) => luminance(ground) > 0.5) ? 0 : 255
  const shades = Array.from({ length: 101 }, (_, percent) => mix(color, end, percent / 100))
  return shades.find((shade) => contrast(shade, grounds) >= MIN_CONTRAST) ?? mix(color, end, 1)
}

function mix(color: string, end: number, part: number): string {
  const mixed = channels(color).map((channel) => Math.round(channel + (end - channel) * part))
  return `#${Buffer.from(mixed).toString('hex')}`
}

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function channels(color: string): number[] {
  return [...Buffer.from(color.slice(1), 'hex')]
}
