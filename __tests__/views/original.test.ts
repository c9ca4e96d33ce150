import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { builtInPaths, builtInText, originalOf, restamped, stamped, stampOf } from '../../src/views/original.js'
import { createRenderer } from '../../src/views/renderer.js'
import { sampleMail, samplePages, SAMPLES } from '../../src/views/samples.js'

const folder = mkdtempSync(path.join(tmpdir(), 'original-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Writes a copy of a file of the package. */
function copy(name: string, change = (text: string) => text): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, change(stamped(builtInText(name) ?? '', stampOf(name, builtInText(name) ?? ''))))
  return file
}

const isOld = (text: string): string => text.replace(/sha256:\S{22}/, `sha256:${'x'.repeat(22)}`)

describe('a copy of a file of the package', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)

  test('renders as its original in every template and language, and is no mistake', () => {
    for (const name of builtInPaths()) copy(name)
    const copies = createRenderer([folder], 'en')
    const originals = createRenderer([], 'en')
    expect(copies.locales).toEqual(originals.locales)
    for (const locale of originals.locales) {
      const { assetVersion } = originals
      for (const page of SAMPLES.flatMap((one) => samplePages(one, locale, originals.emptyCustom))) {
        const context = { ...page, assetVersion }
        expect(copies.renderPage(context)).toBe(originals.renderPage(context))
      }
      for (const purpose of ['code', 'alert']) {
        for (const sample of SAMPLES) {
          const context = sampleMail(sample, { locale, purpose, codeInSubject: false, custom: {} })
          expect(copies.renderMail(purpose, context)).toEqual(originals.renderMail(purpose, context))
        }
      }
    }
    expect(warn).not.toHaveBeenCalled()
  })

  test('says which file, version and text it was copied from, in a comment of its type', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    const firstLines = ['mail/code/html.hbs', 'assets/otp.css', 'assets/otp.js', 'locales/de.json'].map((name) => {
      const file = copy(name)
      expect(originalOf(file)).toMatchObject({ path: name, version, isOutdated: false })
      return readFileSync(file, 'utf8')
        .split('\n')
        .find((line) => line.includes('sha256:'))
        ?.replace(/sha256:\S{22}/, 'sha256:…')
    })
    expect(firstLines).toEqual([
      `{{!-- express-email-otp@${version} mail/code/html.hbs sha256:… --}}`,
      `/* express-email-otp@${version} assets/otp.css sha256:… */`,
      `// express-email-otp@${version} assets/otp.js sha256:…`,
      `  "$original": "express-email-otp@${version} locales/de.json sha256:…",`,
    ])
  })

  test('is not outdated by changes of its own or by other line breaks, but by those of its original', () => {
    const name = 'mail/code/text.hbs'
    const isOutdated = (change: (text: string) => string): boolean | undefined => {
      return originalOf(copy(name, change))?.isOutdated
    }
    expect(isOutdated((text) => `${text}Bye\n`)).toBe(false)
    expect(isOutdated((text) => text.replaceAll('\n', '\r\n'))).toBe(false)
    expect(isOutdated(isOld)).toBe(true)
    expect(isOutdated((text) => restamped(isOld(text), stampOf(name, builtInText(name) ?? '')))).toBe(false)
  })

  test('never names a file outside of the package', () => {
    expect(builtInText('../package.json')).toBeNull()
    expect(originalOf(copy('mail/code/text.hbs', (text) => text.replace(' mail/', ' ../mail/')))?.isOutdated).toBe(true)
  })

  test('is a warning at start when its original has changed, once in a process', () => {
    copy('mail/code/text.hbs')
    copy('assets/otp.css', isOld)
    copy('mail/code/html.hbs', isOld)
    createRenderer([folder], 'en')
    createRenderer([folder], 'en')
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('express-email-otp diff'), expect.objectContaining({ code: 'OTP_OUTDATED_TEMPLATE' })],
    ])
    const [[text] = []] = warn.mock.calls
    expect(text).toContain(path.join(folder, 'mail/code/html.hbs'))
    expect(text).toContain(path.join(folder, 'assets/otp.css'))
    expect(text).not.toContain('text.hbs')
  })
})
