import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { DEFAULT_BRAND } from '../../src/config/brand.js'
import { createRenderer, type Renderer } from '../../src/views/renderer.js'
import { sampleMail, SAMPLES } from '../../src/views/samples.js'
import { describeInBrowser, launch } from '../helpers/chromium.js'

/** The measure of the workbench, as a script of a page: `contrastOf(element, isInverted)`. */
const CONTRAST = readFileSync(path.join(__dirname, '../../src/workbench/assets/contrast.js'), 'utf8')
  .replaceAll('export function', 'function')
  .concat('\nwindow.contrastOf = contrastOf')

const MIN_CONTRAST = 4.5
const brand = { ...DEFAULT_BRAND, address: 'Acme Ltd, 1 Example Street, Springfield' }

function htmlOf(views: Renderer, purpose: string, locale: string, sampleName: string): string {
  const sample = SAMPLES.find(({ name }) => name === sampleName)
  if (!sample) throw new Error(`no sample ${sampleName}`)
  const context = sampleMail(sample, { locale, purpose, codeInSubject: false, custom: {}, brand })
  return views.renderMail(purpose, context).html
}

describeInBrowser('the mails in a real browser', () => {
  let browser: Browser
  let page: Page
  const views = createRenderer([], 'en')

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => page.close())

  async function open(html: string, colorScheme: 'light' | 'dark', width = 620): Promise<void> {
    page = await browser.newPage({ colorScheme, viewport: { width, height: 700 } })
    await page.setContent(html)
  }

  const isWide = (): Promise<boolean> => page.evaluate('document.documentElement.scrollWidth > innerWidth')

  /** The texts with less contrast than readers need, as they are and with the colours that a forced dark mode inverts. */
  async function faintTexts(): Promise<string[]> {
    await page.evaluate(CONTRAST)
    return page.evaluate<string[]>(`[...document.querySelectorAll('body *')]
      .filter((one) => one.checkVisibility({ opacityProperty: true }) && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
      .flatMap((one) => [false, true].map((isInverted) => [one.textContent.trim(), contrastOf(one, isInverted)?.ratio]))
      .filter(([, ratio]) => !(ratio >= ${MIN_CONTRAST}))
      .map(([text, ratio]) => text + ': ' + ratio)`)
  }

  describe.each(['light', 'dark'] as const)('%s', (scheme) => {
    test.each(['code', 'alert'].flatMap((mail) => ['en', 'ar'].map((locale) => [mail, locale] as const)))(
      'the mail %s in %s has enough contrast, also inverted, and axe finds no fault',
      async (mail, locale) => {
        await open(htmlOf(views, mail, locale, 'typical'), scheme)
        expect(await faintTexts()).toEqual([])
        await page.evaluate(axe.source)
        const { violations } = await page.evaluate<AxeResults>(`axe.run({ runOnly: ['wcag2a', 'wcag2aa'] })`)
        expect(violations.map(({ id }) => id)).toEqual([])
      },
    )
  })

  test.each(
    ['code', 'alert'].flatMap((mail) =>
      ['typical', 'long'].flatMap((sample) => ['en', 'ar'].map((locale) => [mail, sample, locale] as const)),
    ),
  )('the mail %s with the sample %s in %s is nowhere wider than a phone of 320 px', async (mail, sample, locale) => {
    await open(htmlOf(views, mail, locale, sample), 'light', 320)
    expect(await isWide()).toBe(false)
  })

  test.each(['typical', 'long'])(
    'the code of the sample %s stands in one line at 320 px, from left to right',
    async (name) => {
      await open(htmlOf(views, 'code', 'ar', name), 'light', 320)
      const lines = "document.querySelector('.otp-code span').getClientRects().length"
      expect(await page.evaluate(lines)).toBe(1)
      expect(await page.evaluate("getComputedStyle(document.querySelector('.otp-code span')).direction")).toBe('ltr')
      const inside = `(() => {
      const [cell, code] = ['.otp-code', '.otp-code span'].map((one) => document.querySelector(one).getBoundingClientRect())
      return code.left >= cell.left && code.right <= cell.right
    })()`
      expect(await page.evaluate(inside)).toBe(true)
    },
  )

  test('text of twice the size breaks, and nothing is cut off', async () => {
    await open(htmlOf(views, 'code', 'en', 'typical'), 'light', 620)
    await page.evaluate("document.body.style.zoom = '2'")
    expect(await isWide()).toBe(false)
  })

  test.each(['light', 'dark'] as const)(
    'the code partial stays readable in a layout whose style sheet makes every span white in dark mode (%s)',
    async (scheme) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'white-spans-'))
      mkdirSync(path.join(folder, 'layouts'))
      const style =
        '@media (prefers-color-scheme: dark) { body { background: #333333 } p, span { color: #ffffff !important } }'
      const layout = `<!doctype html><html lang="{{locale}}" dir="{{dir}}"><head><style>${style}</style></head><body>{{body}}</body></html>`
      writeFileSync(path.join(folder, 'layouts', 'mail.html.hbs'), layout)
      await open(htmlOf(createRenderer([folder], 'en'), 'code', 'en', 'typical'), scheme)
      rmSync(folder, { recursive: true })
      await page.evaluate(CONTRAST)
      const ratio = await page.evaluate<number>("contrastOf(document.querySelector('.otp-code span'), false).ratio")
      expect(ratio).toBeGreaterThanOrEqual(MIN_CONTRAST)
    },
  )
})
