import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { DEFAULT_BRAND } from '../../src/config/brand.js'
import { brandAssets } from '../../src/views/brand-assets.js'
import { describeInBrowser, launch } from '../helpers/chromium.js'

const SHEETS = [
  ...brandAssets({ brand: DEFAULT_BRAND, logoFile: null }).map(({ content }) => content.toString()),
  readFileSync(path.join(__dirname, '../../views/assets/otp.css'), 'utf8'),
].join('\n')
const HOST_SHEET = 'button { background: rgb(1, 2, 3) } h1 { color: rgb(4, 5, 6) } input { letter-spacing: 7px }'
const HOST_PAGE = `<header><h1>Shop</h1><nav><a href="/">Home</a><button>Menu</button><input class="search"></nav></header>
  <main class="otp-card"><h1>Enter the code</h1><form><input class="otp-code" data-length="6"><button>Verify</button></form></main>`

/** All computed styles of the host's header. */
const HEADER_STYLES = `[...document.querySelectorAll('header, header *')].map((one) => {
  const style = getComputedStyle(one)
  return [...style].filter((name) => !name.startsWith('--')).map((name) => name + ':' + style.getPropertyValue(name))
})`

describeInBrowser('our style sheet in a page of the host', () => {
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => page.close())

  async function open(css: string): Promise<void> {
    page = await browser.newPage()
    await page.setContent(`<style>${css}</style>${HOST_PAGE}`)
  }

  const styleOf = (selector: string, property: string): Promise<string> =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`)

  test('changes nothing outside of our card', async () => {
    await open('')
    const without = await page.evaluate(HEADER_STYLES)
    await page.close()
    await open(SHEETS)
    expect(await page.evaluate(HEADER_STYLES)).toEqual(without)
  })

  test.each([
    ['behind', SHEETS + HOST_SHEET],
    ['in front of', HOST_SHEET + SHEETS],
  ])('stands below the host’s own rules, also with theirs %s it: they are in no layer', async (_where, css) => {
    await open(css)
    expect(await styleOf('.otp-card button', 'backgroundColor')).toBe('rgb(1, 2, 3)')
    expect(await styleOf('.otp-card h1', 'color')).toBe('rgb(4, 5, 6)')
    expect(await styleOf('.otp-code', 'letterSpacing')).toBe('7px')
  })

  test('draws a place for each character of a code of six, and lets the digits stand on them', async () => {
    await open(SHEETS)
    expect(await styleOf('.otp-code', 'backgroundImage')).toContain('repeating-linear-gradient')
    const fits = `(() => {
      const input = document.querySelector('.otp-code')
      input.value = '482915'
      const style = getComputedStyle(input)
      return input.scrollWidth <= input.clientWidth && style.textAlign === 'start' && parseFloat(style.paddingLeft) > 0
    })()`
    expect(await page.evaluate(fits)).toBe(true)
  })
})
