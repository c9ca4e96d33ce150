import type { Brand, BrandSettings } from '../config/brand.js'

/** An asset that is no file of the folders. */
export interface GeneratedAsset {
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
}

/** The style sheet of the colours, and the logo. */
export function brandAssets({ brand, logoFile }: BrandSettings): readonly GeneratedAsset[] {
  const sheet = { name: 'brand.css', contentType: 'text/css', content: Buffer.from(brandStyleSheet(brand)) }
  return Object.freeze(logoFile ? [sheet, logoFile] : [sheet])
}

const LIGHT = {
  ink: '#16181d',
  muted: '#5a6070',
  paper: '#ffffff',
  ground: '#f3f4f7',
  line: '#8b92a3',
  edge: '#e2e5ec',
  error: '#b3161b',
  'error-ground': '#fdeeee',
  good: '#1b7f3b',
  'good-ink': '#ffffff',
  'logo-ground': 'transparent',
  'logo-border': '0',
}
const DARK: typeof LIGHT = {
  ink: '#eceef3',
  muted: '#a6adbd',
  paper: '#1b1e26',
  ground: '#111319',
  line: '#747c90',
  edge: '#2b303b',
  error: '#ff9b9b',
  'error-ground': '#3a1c20',
  good: '#6fd08c',
  'good-ink': '#0d2415',
  'logo-ground': '#ffffff',
  'logo-border': '8px',
}

/** The palette as custom properties `--otp-…`, in the layer of our other style sheet. */
function brandStyleSheet(brand: Brand): string {
  const { accent, accentInk, accentDark, accentDarkInk, colorScheme } = brand
  const light = rule({ 'color-scheme': colorScheme, ...LIGHT, accent, 'accent-ink': accentInk })
  const dark = rule({ ...DARK, accent: accentDark, 'accent-ink': accentDarkInk })
  const darkRule = colorScheme === 'light' ? '' : `@media (prefers-color-scheme: dark) {\n${dark}}\n`
  return `@layer otp {\n${light}${darkRule}}\n`
}

function rule(properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([name, value]) => `  --otp-${name}: ${value};\n`)
  return `:root {\n${lines.join('')}}\n`
}
