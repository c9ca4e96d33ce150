import { contrast, MIN_CONTRAST, parseColor, readableShade } from './color.js'
import { type Logo, type LogoFile, type LogoOptions, readLogo } from './logo.js'
import { OptionChecker, optionNames } from '../validate.js'

export type { LogoFile } from './logo.js'

/** The look of pages and mails. Colours are `#rgb` or `#rrggbb`. */
export interface BrandOptions {
  /** Colour of buttons and links. Its contrast on light grounds must be 4.5:1 (WCAG 2.2). */
  accent?: string
  /** The same on dark grounds; by default the nearest shade of `accent` that reads there. */
  accentDark?: string
  logo?: LogoOptions
  /** Postal address for the foot of mails, one line. */
  address?: string
  /** `light`: pages and mails are never dark. By default they are as the reader's system is. */
  colorScheme?: 'auto' | 'light'
}

/** The look that pages and mails share, as their templates get it. */
export interface Brand {
  /** Colour of buttons and links, `#rrggbb`. */
  readonly accent: string
  /** Text on the accent. */
  readonly accentInk: string
  /** The same two on a dark ground. */
  readonly accentDark: string
  readonly accentDarkInk: string
  /** All empty without a logo. `src` is a URL on pages, and the `cid:` of an attachment in mails. */
  readonly logo: Logo
  /** Postal address for the foot of mails; empty if there is none. */
  readonly address: string
  /** For `<meta name="color-scheme">`. */
  readonly colorScheme: 'light dark' | 'light'
}

/** The option `brand`, resolved. */
export interface BrandSettings {
  /** As mails get it. */
  readonly brand: Brand
  readonly logoFile: LogoFile | null
}

export const DEFAULT_BRAND: Brand = Object.freeze({
  accent: '#1d4ed8',
  accentInk: '#ffffff',
  accentDark: '#8fb0ff',
  accentDarkInk: '#0d1630',
  logo: Object.freeze({ src: '', width: 0, height: 0, alt: '' }),
  address: '',
  colorScheme: 'light dark',
})

/**
 * What links stand on, the same in pages and mails. White reads on each accent that reads on these light ones, and
 * `accentDarkInk` on each that reads on the dark one: so the inks never change.
 */
const LIGHT_GROUNDS = ['#ffffff', '#f3f4f7']
const DARK_GROUNDS = ['#1b1e26']

const OPTION_NAMES = optionNames<BrandOptions>({
  ...{ accent: true, accentDark: true, logo: true, address: true, colorScheme: true },
})

const check = new OptionChecker('emailOtp')

/** @throws OtpError `invalid_option` */
export function resolveBrand(options: BrandOptions | undefined, siteName: string): BrandSettings {
  if (options === undefined) return { brand: DEFAULT_BRAND, logoFile: null }
  check.rejectUnknownKeys('brand', options, OPTION_NAMES)
  const { address, colorScheme = 'auto' } = options
  const isLightOnly = check.oneOf('brand.colorScheme', colorScheme, ['auto', 'light']) === 'light'
  const { logo, logoFile } =
    options.logo === undefined ? { logo: DEFAULT_BRAND.logo, logoFile: null } : readLogo(options.logo, siteName)
  const brand: Brand = Object.freeze({
    ...DEFAULT_BRAND,
    ...resolveAccents(options, isLightOnly),
    logo,
    address: address === undefined ? '' : check.singleLine('brand.address', address),
    colorScheme: isLightOnly ? 'light' : 'light dark',
  })
  return { brand, logoFile }
}

/** Without a dark accent, it is the nearest shade of the light one that reads on a dark ground. */
function resolveAccents(options: BrandOptions, isLightOnly: boolean): Pick<Brand, 'accent' | 'accentDark'> {
  const { accent: givenLight = DEFAULT_BRAND.accent, accentDark: givenDark } = options
  const accent = resolveColor('brand.accent', givenLight, LIGHT_GROUNDS)
  if (givenDark !== undefined) {
    return { accent, accentDark: resolveColor('brand.accentDark', givenDark, isLightOnly ? [] : DARK_GROUNDS) }
  }
  const isDefault = accent === DEFAULT_BRAND.accent
  return { accent, accentDark: isDefault ? DEFAULT_BRAND.accentDark : readableShade(accent, DARK_GROUNDS) }
}

function resolveColor(option: string, value: unknown, grounds: readonly string[]): string {
  const color = parseColor(value)
  if (color === null) throw check.invalid(option, value, 'Give a colour as #rgb or #rrggbb, such as #1d4ed8.')
  const ratio = contrast(color, grounds)
  if (ratio >= MIN_CONTRAST) return color
  const hint =
    `Links in it have a contrast of ${ratio.toFixed(2)}:1 on ${grounds.join(' and ')}, and readers need ` +
    `${MIN_CONTRAST}:1 (WCAG 2.2). The nearest shade that has it is ${readableShade(color, grounds)}.`
  throw check.invalid(option, value, hint)
}
