import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type BrowserPage, openPage } from '../helpers/browser-page.js'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import type { HostApp, HostOptions } from '../helpers/host-app.js'
import { codeIn, wrongCode } from '../helpers/mailbox.js'

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

  test('S4: the script sends once after a redirect by a guard; reload, back and a second tab send nothing', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    const address = page.url()
    await page.reload()
    await page.goBack()
    await page.goForward()
    const second = await page.context().newPage()
    await second.goto(address)
    await second.goto('/secret')
    await second.waitForSelector(CODE)
    expect(host.mailbox.received).toHaveLength(1)
    expect(host.events.filter((event) => event.type === 'issued')).toHaveLength(1)

    await page.bringToFront()
    await page.fill(CODE, host.mailbox.code)
    await page.click('text=Verify')
    await page.waitForURL('**/secret')
    expect(await page.textContent('body')).toBe('the secret')
  })

  test('S4: two tabs that are opened at the same moment send one mail', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    const tabs = await Promise.all([page.context().newPage(), page.context().newPage()])
    await tabs[0].goto('/secret')
    await tabs[1].goto('/secret')
    await Promise.all(tabs.map((tab) => tab.waitForLoadState('networkidle')))
    await host.mailbox.mails(1)
    expect(host.events.filter((event) => event.type === 'issued')).toHaveLength(1)
  })

  test('S4: a prerendered page sends nothing until it is shown, and then once', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    const prerender = `Object.defineProperty(document, 'prerendering', { value: true })`
    await page.addInitScript(prerender)
    await page.goto('/secret')
    await page.waitForLoadState('networkidle')
    expect(host.events).toEqual([])
    await page.evaluate(`document.dispatchEvent(new Event('prerenderingchange'))`)
    await page.waitForSelector(CODE)
    await host.mailbox.mails(1)
    expect(host.events.filter((event) => event.type === 'issued')).toHaveLength(1)
  })

  test('H10: a browser that a user trusts is not asked again after the next sign-in', async () => {
    await open({ otp: { trustBrowser: { days: 30 } } })
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    await page.click('text=Don’t ask again in this browser for 30 days')
    await page.fill(CODE, host.mailbox.code)
    await page.click('text=Verify')
    await page.waitForURL('**/secret')
    await page.context().clearCookies({ name: 'connect.sid' })
    host.clock.tick(86_400)
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    expect(await page.textContent('body')).toBe('the secret')
    await page.goto('/action')
    expect(await page.textContent('.otp-action')).toBe('Send 50 EUR to Ben')
  })

  test('W4: everything works without script', async () => {
    await open({}, { javaScriptEnabled: false })
    await page.goto('/sign-in-as-ana')
    await page.goto('/action')
    expect(await page.textContent('.otp-action')).toBe('Send 50 EUR to Ben')
    await page.click('text=Mail me the code')
    await page.fill(CODE, '12')
    await page.click('text=Verify')
    expect(await page.textContent('[role=alert]')).toBe('Enter the 6-digit code')
    await page.fill(CODE, host.mailbox.code)
    await page.click('text=Verify')
    expect(await page.textContent('body')).toBe('done')
  })

  test('W4: everything works under a CSP of nothing but our own files', async () => {
    const own = ['style-src', 'script-src', 'img-src', 'font-src', 'form-action'].map((name) => `${name} 'self'`)
    const contentSecurityPolicy = ["default-src 'none'", ...own].join('; ')
    await open({ otp: { contentSecurityPolicy } })
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    const again = page.locator('button[data-wait]')
    expect(await again.isDisabled()).toBe(true)
    expect(await again.textContent()).toMatch(/^Send it again in \d+ s$/)
    await page.fill(CODE, host.mailbox.code)
    await page.click('text=Verify')
    expect(await page.textContent('body')).toBe('the secret')
    expect(opened.cspViolations).toEqual([])
  })

  test('W1: a form on another site that posts into ours is refused', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    const form = `<form method="post" action="${host.origin}/2fa/send"><button>go</button></form>`
    await page.goto(`data:text/html,${encodeURIComponent(form)}`)
    await page.click('button')
    expect(await page.textContent('h1')).toBe('That came from another site')
    expect(host.mailbox.received).toHaveLength(0)
  })

  test('U1: one field that phones and password managers know, and pasting a decorated code works', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    const field = page.locator(CODE)
    await field.waitFor()
    expect(await page.locator('input:visible').count()).toBe(1)
    expect(await field.getAttribute('autocomplete')).toBe('one-time-code')
    expect(await field.getAttribute('inputmode')).toBe('numeric')
    expect(Number(await field.getAttribute('maxlength'))).toBeGreaterThanOrEqual(32)
    expect(await page.locator('label[for=otp-code]').textContent()).toBe('Enter the 6-digit code')
    const code = host.mailbox.code
    await field.fill(` ${code.slice(0, 3)} – ${code.slice(3)} `)
    await page.click('text=Verify')
    expect(await page.textContent('body')).toBe('the secret')
  })

  test('U3: an error is text, announced, tied to its field, and stands in the title', async () => {
    await open()
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.fill(CODE, wrongCode(codeIn((await host.mailbox.mails(1))[0] ?? host.mailbox.last)))
    await page.click('text=Verify')
    const alert = page.locator('[role=alert]')
    expect(await alert.textContent()).toBe('That code is not right. Guesses left: 4.')
    const described = await page.getAttribute(CODE, 'aria-describedby')
    expect(described?.split(' ')).toContain(await alert.getAttribute('id'))
    expect(await page.getAttribute(CODE, 'aria-invalid')).toBe('true')
    expect(await page.title()).toMatch(/^Error: /)
  })

  test('a right-to-left page mirrors, while the code stays left to right', async () => {
    await open({ otp: { locale: 'ar' } }, { locale: 'ar' })
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    expect(await page.getAttribute('html', 'dir')).toBe('rtl')
    expect(await page.evaluate(`getComputedStyle(document.querySelector('${CODE}')).direction`)).toBe('ltr')
  })
})
