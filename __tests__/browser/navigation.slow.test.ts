import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { type BrowserPage, openPage } from '../helpers/browser-page.js'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import type { HostApp, HostOptions } from '../helpers/host-app.js'
import { wrongCode } from '../helpers/mailbox.js'

const CODE = '#otp-code'

let browser: Browser
let opened: BrowserPage
let host: HostApp
let page: Page

describeInBrowser('a real browser that', () => {
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => opened.close())

  describe.each([
    ['with script', true],
    ['without script', false],
  ])('%s', (_name, javaScriptEnabled) => {
    async function open(options?: HostOptions): Promise<void> {
      opened = await openPage(browser, options, { javaScriptEnabled })
      ;({ host, page } = opened)
      await page.goto('/sign-in-as-ana')
    }

    /** Opens a guarded page up to the field for the code; without script the button is pressed. */
    async function ask(url: string): Promise<void> {
      await page.goto(url)
      if (!javaScriptEnabled) await page.click('text=Mail me the code')
      await page.waitForSelector(CODE)
    }
    async function type(code: string): Promise<void> {
      await page.fill(CODE, code)
      await page.click('text=Verify')
    }

    test('W4: a guarded page may redirect to another origin after the code', async () => {
      const checkout: Server = createServer((_req, res) => void res.end('the checkout'))
      await new Promise<void>((resolve) => checkout.listen(0, '127.0.0.1', resolve))
      const { port } = checkout.address() as AddressInfo
      await open({
        after: (app, otp) => {
          app.get('/pay', otp.requireOtp(), (_req, res) => {
            res.redirect(303, `http://127.0.0.1:${port}/`)
          })
        },
      })
      await ask('/pay')
      await type(host.mailbox.code)
      await page.waitForURL(`http://127.0.0.1:${port}/`)
      expect(await page.textContent('body')).toBe('the checkout')
      expect(opened.cspViolations).toEqual([])
      checkout.closeAllConnections()
      checkout.close()
    })

    test('B4: a form that is older than its step-up leads back to the action, which then works', async () => {
      await open()
      await ask('/action')
      host.clock.tick(3_601)
      await page.clock.setSystemTime(Date.now() + 3_601_000)
      await type('123456')
      await page.waitForURL('**/2fa?for=*')
      if (!javaScriptEnabled) await page.click('text=Mail me the code')
      await host.mailbox.mails(2)
      expect(await page.textContent('.otp-action')).toBe('Send 50 EUR to Ben')
      await type(host.mailbox.code)
      await page.waitForURL('**/action')
      expect(await page.textContent('body')).toBe('done')
    })

    test('H2: reload, a restored tab and Back take no guess, keep the action and ask no question', async () => {
      await open()
      await ask('/action')
      await type(wrongCode(host.mailbox.code))
      const alert = page.locator('[role=alert]')
      for (let reloads = 0; reloads < 3; reloads++) {
        expect(await alert.textContent()).toContain('Guesses left: 4.')
        await page.reload()
      }
      const restored = await page.context().newPage()
      await restored.goto(page.url())
      expect(await restored.textContent('.otp-action')).toBe('Send 50 EUR to Ben')
      await restored.close()
      expect(host.events.filter(({ type: name }) => name === 'rejected')).toHaveLength(1)

      await type(host.mailbox.code)
      await page.waitForURL('**/action')
      await page.goBack()
      expect(page.url()).toMatch(/\/2fa/)
      expect(await page.textContent('h1')).toMatch(/Verified|Enter/)
      await page.reload()
      expect(await page.textContent('h1')).toBe('Verified. Access granted.')
      await page.click('text=Continue')
      expect(await page.textContent('body')).toBe('done')
    })

    test('H9: types the right code once more, in a second tab, comes to the guarded page', async () => {
      await open()
      await ask('/secret')
      const second = await page.context().newPage()
      await second.goto(page.url())
      await second.fill(CODE, host.mailbox.code)
      await type(host.mailbox.code)
      await page.waitForURL('**/secret')
      await second.click('text=Verify')
      await second.waitForURL('**/secret')
      expect(await second.textContent('body')).toBe('the secret')
      expect(host.events.filter(({ type: name }) => name === 'verified')).toHaveLength(1)
    })

    test('that keeps no cookie is told so after the first mail', async () => {
      const before: HostOptions['before'] = (app) =>
        app.use((req, _res, next) => {
          delete req.headers.cookie
          next()
        })
      opened = await openPage(
        browser,
        { before, otp: { user: undefined as never, typedEmail: true } },
        { javaScriptEnabled },
      )
      ;({ host, page } = opened)
      await page.goto('/secret')
      await page.fill('#otp-email', 'ana@example.com')
      await page.click('text=Mail me a code')
      expect(await page.textContent('h1')).toBe('Your browser keeps no cookie of ours')
      expect(await page.locator('form').count()).toBe(0)
    })

    test('gets a guarded download sees that the code was right', async () => {
      await open({
        after: (app, otp) => {
          app.get('/file', otp.requireOtp(), (_req, res) => {
            res.attachment('statement.txt').send('1 EUR')
          })
        },
      })
      await page.goto('/file')
      if (!javaScriptEnabled) await page.click('text=Mail me the code')
      await page.waitForSelector(CODE)
      const download = page.waitForEvent('download')
      await type(host.mailbox.code)
      expect((await download).suggestedFilename()).toBe('statement.txt')
      expect(await page.textContent('h1')).toBe('Your code was right')
    })

    test('stops a request can press the button again', async () => {
      let isStuck = true
      await open({
        otp: { autoSend: false },
        before: (app) =>
          app.post('/2fa/send', (_req, _res, next) => {
            if (!isStuck) next()
            isStuck = false
          }),
      })
      await page.goto('/secret')
      await page.click('text=Mail me the code', { noWaitAfter: true })
      const session = await page.context().newCDPSession(page)
      await session.send('Page.stopLoading')
      await page.waitForTimeout(2_100)
      await page.click('text=Mail me the code')
      await page.waitForSelector(CODE)
      expect(host.mailbox.received).toHaveLength(1)
    })
  })

  test('H9: clicks twice on "Verify" sends one request, by the script', async () => {
    opened = await openPage(browser)
    ;({ host, page } = opened)
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    let requests = 0
    page.on('request', (request) => (requests += Number(request.method() === 'POST')))
    await page.fill(CODE, host.mailbox.code)
    await page.dblclick('text=Verify')
    await page.waitForURL('**/secret')
    expect(requests).toBe(1)
  })

  test('S4: has an abandoned code of yesterday is sent a new one by the script', async () => {
    opened = await openPage(browser)
    ;({ host, page } = opened)
    await page.goto('/sign-in-as-ana')
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    host.clock.tick(86_400)
    await page.clock.setSystemTime(Date.now() + 86_400_000)
    await page.goto('/secret')
    await page.waitForSelector(CODE)
    expect((await host.mailbox.mails(2)).length).toBe(2)
  })
})
