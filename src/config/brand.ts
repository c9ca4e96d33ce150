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
  readonly logo: { readonly src: string; readonly width: number; readonly height: number; readonly alt: string }
  /** Postal address for the foot of mails; empty if there is none. */
  readonly address: string
  /** For `<meta name="color-scheme">`. */
  readonly colorScheme: 'light dark' | 'light'
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
