import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { SECRET } from '../helpers/host-app.js'
import { ImageFolder, PNG } from '../helpers/logo.js'
import { type BrandOptions, DEFAULT_BRAND } from '../../src/config/brand.js'
import { contrast, MIN_CONTRAST, readableShade } from '../../src/config/color.js'
import { resolveSettings, type Settings } from '../../src/config/settings.js'
import { OtpError } from '../../src/index.js'

const images = new ImageFolder()
afterAll(() => {
  images.remove()
})

function settingsWith(brand: unknown): Settings {
  return resolveSettings({
    secret: SECRET,
    site: { name: 'Acme' },
    mail: { transport: 'smtp://localhost', from: 'no-reply@acme.example' },
    user: () => null,
    ...(brand !== undefined && { brand: brand as BrandOptions }),
  })
}

function refusal(brand: unknown): string {
  try {
    settingsWith(brand)
  } catch (error) {
    if (error instanceof OtpError && error.code === 'invalid_option') return error.message
    throw error
  }
  throw new Error('it was taken')
}

const logo = (changes: object = {}): object => ({
  logo: { file: images.write('a.png', PNG), width: 120, height: 40, ...changes },
})

describe('colours', () => {
  test('without the option the look is ours', () => {
    expect(settingsWith(undefined)).toMatchObject({ brand: DEFAULT_BRAND, logoFile: null })
    expect(settingsWith({}).brand).toEqual(DEFAULT_BRAND)
  })

  test.each([
    ['#063', '#006633'],
    ['#00663A', '#00663a'],
  ])('%s is %s', (accent, expected) => {
    expect(settingsWith({ accent }).brand.accent).toBe(expected)
  })

  test('an accent gives a readable twin of its hue for dark grounds', () => {
    const { accentDark } = settingsWith({ accent: '#063' }).brand
    expect(accentDark).toBe('#4d9470')
    expect(contrast(accentDark, ['#1b1e26'])).toBeGreaterThanOrEqual(MIN_CONTRAST)
  })

  test('a dark accent of the host is taken as it is', () => {
    expect(settingsWith({ accent: '#063', accentDark: '#7FD4A8' }).brand.accentDark).toBe('#7fd4a8')
  })

  test('an accent that does not read on a light ground is refused, with the nearest shade that does', () => {
    const message = refusal({ accent: '#ff9900' })
    expect(message).toContain('option `brand.accent` is "#ff9900". Links in it have a contrast of 1.95:1')
    const [, cure = ''] = /is (#[0-9a-f]{6})\.$/.exec(message) ?? []
    expect(cure).toBe('#a16000')
    expect(settingsWith({ accent: cure }).brand.accent).toBe(cure)
  })

  test('a dark accent that does not read on a dark ground is refused, unless pages and mails are never dark', () => {
    const accents = { accent: '#063', accentDark: '#063' }
    expect(refusal(accents)).toMatch(/`brand\.accentDark` is "#063"\. .* on #1b1e26, .* is #4d9470\.$/)
    const { brand } = settingsWith({ ...accents, colorScheme: 'light' })
    expect(brand).toMatchObject({ accentDark: '#006633', colorScheme: 'light' })
  })

  test('the text on each accent that is taken reads', () => {
    const steps = [0, 3, 6, 9, 12, 15].map((step) => step.toString(16))
    const colors = steps.flatMap((r) => steps.flatMap((g) => steps.map((b) => `#${r}${r}${g}${g}${b}${b}`)))
    for (const color of colors) {
      const accent = readableShade(color, ['#ffffff', '#f3f4f7'])
      const { brand } = settingsWith({ accent })
      expect([accent, contrast(brand.accentInk, [accent]) >= MIN_CONTRAST]).toEqual([accent, true])
      const dark = brand.accentDark
      expect([dark, contrast(brand.accentDarkInk, [dark]) >= MIN_CONTRAST]).toEqual([dark, true])
    }
  })

  test('contrast is that of WCAG 2.2', () => {
    expect(contrast('#000000', ['#ffffff'])).toBe(21)
    expect(contrast('#777777', ['#ffffff']).toFixed(2)).toBe('4.48')
    expect(contrast('#767676', ['#ffffff']).toFixed(2)).toBe('4.54')
  })
})

test.each<[string, unknown, string, string]>([
  ['brand', 'blue', '"blue"', 'Give an object with `accent`'],
  ['brand', null, 'null', 'Give an object'],
  ['brand.accent', { accent: 'blue' }, '"blue"', '#rgb or #rrggbb'],
  ['brand.accent', { accent: '#12345' }, '"#12345"', '#rgb or #rrggbb'],
  ['brand.accent', { accent: '#06f8' }, '"#06f8"', '#rgb or #rrggbb'],
  ['brand.accent', { accent: '#006633;} body{display:none' }, '"#006633;}', '#rgb or #rrggbb'],
  ['brand.accent', { accent: '#006633\n' }, '"#006633\\n"', '#rgb or #rrggbb'],
  ['brand.accent', { accent: 0x006633 }, '26163', '#rgb or #rrggbb'],
  ['brand.accent', { accent: null }, 'null', '#rgb or #rrggbb'],
  ['brand.accentDark', { accentDark: ['#fff'] }, '["#fff"]', '#rgb or #rrggbb'],
  ['brand.colorScheme', { colorScheme: 'dark' }, '"dark"', '"auto", "light"'],
  ['brand.address', { address: '1 Road\nTown' }, '"1 Road\\nTown"', 'Remove line breaks'],
  ['brand.address', { address: ' ' }, '" "', 'Give some text'],
  ['brand.logo', { logo: 'a.png' }, '"a.png"', 'Give an object with `file`'],
  ['brand.logo.file', logo({ file: undefined }), 'missing', 'Give some text'],
  ['brand.logo.file', logo({ file: '/no/logo.png' }), '"/no/logo.png"', '/no/logo.png cannot be read (ENOENT)'],
  ['brand.logo.file', logo({ file: __dirname }), `"${__dirname}"`, 'cannot be read (EISDIR)'],
  ['brand.logo.file', logo({ file: images.write('a.svg', '<svg/>') }), 'a.svg"', 'Save it as PNG'],
  ['brand.logo.file', logo({ file: images.write('b.png', '<svg/>') }), 'b.png"', 'no PNG, JPEG or GIF'],
  ['brand.logo.file', logo({ file: images.write('c.png', 'RIFF____WEBPVP8 ') }), 'c.png"', 'SVG and WebP'],
  ['brand.logo.file', logo({ file: images.write('d.png', '') }), 'd.png"', 'no PNG, JPEG or GIF'],
  ['brand.logo.file', logo({ file: images.write('e.png', Buffer.alloc(65_537)) }), 'e.png"', 'It has 65537 bytes'],
  ['brand.logo.width', logo({ width: 601 }), '601', 'from 1 to 600'],
  ['brand.logo.width', logo({ width: '120' }), '"120"', 'from 1 to 600'],
  ['brand.logo.height', logo({ height: 0.5 }), '0.5', 'from 1 to 200'],
  ['brand.logo.height', logo({ height: undefined }), 'missing', 'from 1 to 200'],
  ['brand.logo.alt', logo({ alt: '' }), '""', 'Give some text'],
])('%s of %j is refused with the value and the cure', (option, brand, value, cure) => {
  const message = refusal(brand)
  expect(message).toContain(`emailOtp: option \`${option}\` is `)
  expect(message).toContain(value)
  expect(message).toContain(cure)
})

test.each([
  [{ acent: '#063' }, 'unknown option `brand.acent`. Did you mean "accent"?'],
  [logo({ widht: 1 }), 'unknown option `brand.logo.widht`. Did you mean "width"?'],
])('a mistyped member in %j is named', (brand, message) => {
  expect(refusal(brand)).toContain(message)
})

describe('logo', () => {
  test.each([
    ['image/png', 'brand-logo.png', PNG],
    ['image/jpeg', 'brand-logo.jpg', Buffer.from('ffd8ffe000104a464946', 'hex')],
    ['image/gif', 'brand-logo.gif', Buffer.from('GIF87a')],
    ['image/gif', 'brand-logo.gif', Buffer.from('GIF89a')],
  ])('is %s by its content, whatever the name of the file', (contentType, name, content) => {
    const { logoFile, brand } = settingsWith(logo({ file: images.write('logo.svg', content) }))
    expect(logoFile).toMatchObject({ contentType, name, content })
    expect(brand.logo).toEqual({ src: `cid:${logoFile?.cid}`, width: 120, height: 40, alt: 'Acme' })
  })

  test('is read once, and its path may be relative', () => {
    const file = images.write('once.png', PNG)
    const { logoFile } = settingsWith(logo({ file: path.relative('.', file) }))
    writeFileSync(file, 'changed')
    expect(logoFile?.content).toEqual(PNG)
  })

  test('has a Content-ID of its content, without digits', () => {
    const cids = [PNG, Buffer.concat([PNG, PNG])].map((content) => {
      return settingsWith(logo({ file: images.write('x.png', content) })).logoFile?.cid ?? ''
    })
    expect(new Set(cids).size).toBe(2)
    for (const cid of cids) expect(cid).toMatch(/^[A-Za-z]{10,22}@brand-logo$/)
  })
})
