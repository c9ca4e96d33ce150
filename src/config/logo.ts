import { readFileSync } from 'node:fs'
import path from 'node:path'
import { unkeyedHash } from '../crypto/keys.js'
import { OptionChecker, optionNames } from '../validate.js'

/** The image that stands for the site on pages and in mails. */
export interface LogoOptions {
  /** Path of a PNG, JPEG or GIF of 65 536 bytes at most; read once, when the plugin is made. */
  file: string
  /** Shown size in px: 600 × 200 at most. */
  width: number
  height: number
  /** Text in place of the image; `site.name` by default. */
  alt?: string
}

/** How templates show it. */
export interface Logo {
  readonly src: string
  readonly width: number
  readonly height: number
  readonly alt: string
}

/** The image of the logo: an attachment of mails, and an asset of pages. */
export interface LogoFile {
  readonly content: Buffer
  readonly contentType: string
  /** Such as `brand-logo.png`. */
  readonly name: string
  /** Its Content-ID (RFC 2392). */
  readonly cid: string
}

/** By their first bytes, in Latin-1. SVG may hold scripts, and mail programs show neither it nor WebP. */
const FORMATS = [
  { start: '\x89PNG\r\n\x1a\n', contentType: 'image/png', extension: 'png' },
  { start: '\xff\xd8\xff', contentType: 'image/jpeg', extension: 'jpg' },
  { start: 'GIF87a', contentType: 'image/gif', extension: 'gif' },
  { start: 'GIF89a', contentType: 'image/gif', extension: 'gif' },
]
const MAX_BYTES = 65_536
const MAX_WIDTH = 600
const MAX_HEIGHT = 200

const OPTION_NAMES = optionNames<LogoOptions>({ file: true, width: true, height: true, alt: true })

const check = new OptionChecker('emailOtp')

/**
 * Reads the logo once. `src` is its `cid:`.
 * @throws OtpError `invalid_option`
 */
export function readLogo(options: LogoOptions, siteName: string): { logo: Logo; logoFile: LogoFile } {
  check.rejectUnknownKeys('brand.logo', options, OPTION_NAMES)
  const { file, width, height, alt = siteName } = options
  const logoFile = readImage(check.singleLine('brand.logo.file', file))
  const logo = Object.freeze({
    src: `cid:${logoFile.cid}`,
    width: check.integer('brand.logo.width', width, 1, MAX_WIDTH),
    height: check.integer('brand.logo.height', height, 1, MAX_HEIGHT),
    alt: check.singleLine('brand.logo.alt', alt),
  })
  return { logo, logoFile }
}

function readImage(file: string): LogoFile {
  const content = readBytes(file)
  if (content.length > MAX_BYTES) {
    const hint = `It has ${content.length} bytes: save it with ${MAX_BYTES} at most, since each mail carries it.`
    throw check.invalid('brand.logo.file', file, hint)
  }
  const format = FORMATS.find(({ start }) => content.toString('latin1', 0, start.length) === start)
  if (!format) {
    const hint = 'Its content is no PNG, JPEG or GIF. Save it as PNG: mail programs do not show SVG and WebP.'
    throw check.invalid('brand.logo.file', file, hint)
  }
  // Letters only: a mail has no digits that could be taken for its code.
  const id = unkeyedHash(content).replace(/[^A-Za-z]/g, '')
  const { contentType, extension } = format
  return Object.freeze({ content, contentType, name: `brand-logo.${extension}`, cid: `${id}@brand-logo` })
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    const hint = `${path.resolve(file)} cannot be read (${code}). Give the path of an image.`
    throw check.invalid('brand.logo.file', file, hint)
  }
}
