import axe, { type AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type BrowserPage, openPage } from '../helpers/browser-page.js'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import type { HostApp, HostOptions } from '../helpers/host-app.js'
import { codeIn } from '../helpers/mailbox.js'

const CODE = '#otp-code'

describeInBrowser('in a real browser', () => {
  let browser: Browser
  let opened: BrowserPage
  let host: HostApp
  let page: Page

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => opened.close())

  async function open(options?: HostOptions, look?: BrowserContextOptions): Promise<void> {
    opened = await openPage(browser, options, look)
    ;({ host, page } = opened)
  }

  const violations = async (
    rules = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
  ): Promise<string[]> => {
    await page.evaluate(axe.source)
    const { violations: found } = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(rules)} })`)
    return found.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`)
  }

  describe.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['at 375 px', { viewport: { width: 375, height: 667 } }],
  ] as [string, BrowserContextOptions][])('U1: axe finds no violation %s', (_name, look) => {
    test('on any page of a typed address, and nothing is wider than the screen', async () => {
      const site = { name: 'Acme', origin: 'https://acme.example', supportUrl: '/help' }
      await open({ otp: { user: undefined as never, typedEmail: true, autoSend: false, site } }, look)
      const fine = async (where: string): Promise<void> => {
        expect([where, await violations()]).toEqual([where, []])
        const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
        expect([where, wide]).toEqual([where, false])
      }
      await page.goto('/action')
      await fine('email')
      await page.fill('#otp-email', 'ana at example')
      await page.click('text=Mail me a code')
      await fine('email with an error')
      await page.fill('#otp-email', 'ana@example.com')
      await page.click('text=Mail me a code')
      await fine('code')
      await page.fill(CODE, '1')
      await page.click('text=Verify')
      await fine('code with an error')
      await host.mailbox.mails(1) // it starts within two seconds, and the clock must not end it
      host.clock.tick(601)
      await page.reload()
      await fine('send')
      await page.goto('/2fa?for=a&for=b')
      await fine('problem')
      await page.goto('/action')
      host.clock.tick(31)
      await page.click('text=Mail me the code')
      await page.waitForSelector(CODE)
      await page.fill(CODE, codeIn((await host.mailbox.mails(2))[1] ?? host.mailbox.last))
      await page.route('**/action', (route) => route.fulfill({ status: 204 })) // with this answer a browser stays
      await page.click('text=Verify')
      await page.waitForSelector('text=Your code was right')
      await fine('continue')
      await page.goto('/2fa')
      await fine('verified')
    })

    test('on the code page of a signed-in user who may trust this browser', async () => {
      await open({ otp: { trustBrowser: { days: 30 } } }, look)
      await page.goto('/sign-in-as-ana')
      await page.goto('/secret')
      await page.waitForSelector(CODE)
      expect(await page.isChecked('[name=trust]')).toBe(false)
      await page.check('[name=trust]')
      expect(await violations()).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false)
    })
  })

  test('the mail reads well: code in one text node, nothing wider than a phone', async () => {
    await open({}, { viewport: { width: 375, height: 667 } })
    const jar = await host.signedIn()
    await jar.post('/2fa/send').send({}).expect(200)
    const { mail } = host.mailbox.last
    await page.setContent(String(mail.html))
    const text = "[...document.querySelector('.otp-code span').childNodes].map((node) => node.textContent)"
    expect(await page.evaluate(text)).toEqual([host.mailbox.code])
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false)
    expect(await violations(['wcag2a', 'wcag2aa'])).toEqual([])
  })
})
