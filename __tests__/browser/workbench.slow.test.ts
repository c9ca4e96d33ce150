import axe, { type AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import { openWorkbench, type WorkbenchPage } from '../helpers/workbench-page.js'
import { devInbox } from '../../src/workbench/index.js'

const SAMPLES = [
  ['en', 'typical'],
  ['ar', 'minimal'],
  ['de', 'long'],
  ['he', 'hostile'],
]

const LAYOUT = (body: string, style = ''): string =>
  `<!doctype html><html lang="{{locale}}" dir="{{dir}}"><head><meta name="color-scheme" content="light dark"><style>${style}</style></head><body>${body}</body></html>`

describeInBrowser('the workbench in a real browser', () => {
  let browser: Browser
  let opened: WorkbenchPage

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => opened.close())

  const choose = (name: string, value: string) =>
    opened.page.check(`[name="${name}"][value="${value}"]`, { force: true })
  const styleOf = (selector: string, property: string) =>
    opened.frame().evaluate(`getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${property}')`)

  test.each(['light', 'dark'] as const)(
    'a mail is shown in light and in dark, in a browser that prefers %s',
    async (colorScheme) => {
      const style = 'body { color: rgb(1, 1, 1) } @media (prefers-color-scheme: dark) { body { color: rgb(9, 9, 9) } }'
      opened = await openWorkbench(browser, { 'layouts/mail.html.hbs': LAYOUT('{{body}}', style) }, {}, { colorScheme })
      await opened.show('/')
      expect(await styleOf('body', 'color')).toBe('rgb(1, 1, 1)')
      await choose('scheme', 'dark')
      expect(await styleOf('body', 'color')).toBe('rgb(9, 9, 9)')
      expect(await styleOf('html', 'color-scheme')).toBe('dark')
      await choose('scheme', 'inverted')
      expect(await styleOf('body', 'color')).toBe('rgb(1, 1, 1)')
      expect(await opened.page.evaluate(`getComputedStyle(document.querySelector('#frame')).filter`)).toContain(
        'invert(1)',
      )
      await choose('scheme', 'dark')
      await opened.page.check('#no-style')
      expect(await styleOf('body', 'color')).not.toBe('rgb(9, 9, 9)')
    },
  )

  test('a page is shown in dark too, with the style sheet of the plugin', async () => {
    opened = await openWorkbench(browser)
    await opened.show('/?view=page/code')
    const light = await styleOf('body', 'background-color')
    await choose('scheme', 'dark')
    expect(await styleOf('body', 'background-color')).not.toBe(light)
    expect(await opened.measured()).toContain('are sound')
  })

  test('the frame has the width that is chosen, also after a reload', async () => {
    opened = await openWorkbench(browser)
    await opened.show('/')
    for (const width of ['320', '375', '600']) {
      await choose('width', width)
      expect(await opened.frame().evaluate('innerWidth')).toBe(Number(width))
    }
    await opened.page.reload()
    await opened.page.waitForSelector('.frame-600')
  })

  test('what is wider than 320 px is found, and a code that breaks in two', async () => {
    opened = await openWorkbench(browser, {
      'layouts/mail.html.hbs': LAYOUT('<table width="500"><tr><td>Wide</td></tr></table>{{body}}'),
      'partials/code.html.hbs': '<div style="width:60px;overflow-wrap:anywhere;font-size:40px">{{code}}</div>',
    })
    await opened.show('/')
    expect(await opened.measured()).toMatch(/px wide at 320 px.*<td> with "Wide"/)
    expect(await opened.measured()).toContain('The code breaks in two')
  })

  test('in a language from right to left, a layout without dir and a code without its own direction are found', async () => {
    opened = await openWorkbench(browser, { 'layouts/mail.html.hbs': LAYOUT('{{body}}').replace('dir="{{dir}}"', '') })
    await opened.show('/?locale=ar')
    expect(await opened.measured()).toContain('It runs ltr, and its language runs rtl.')
    opened.write('layouts/mail.html.hbs', LAYOUT('{{body}}'))
    opened.write('partials/code.html.hbs', '<p>{{code}}</p>')
    await opened.until(`document.querySelector('#measured')?.textContent.includes('The code stands in text')`)
    expect(await opened.measured()).not.toContain('It runs ltr')
  })

  test('our own mails and pages are sound in each sample', async () => {
    opened = await openWorkbench(browser)
    for (const view of ['mail/access', 'mail/alert', 'page/code', 'page/send', 'page/problem']) {
      for (const [locale, sample] of SAMPLES) {
        // A word of 136 letters makes a table as wide as itself.
        if (view.startsWith('mail') && sample === 'long') continue
        await opened.show(`/?view=${view}&locale=${locale}&sample=${sample}`)
        expect([view, sample, await opened.measured()]).toEqual([view, sample, expect.stringContaining('are sound')])
      }
    }
  })

  test('a choice changes the screen without a reload; Back returns to the one before', async () => {
    opened = await openWorkbench(browser)
    const { page, show, frame } = opened
    await show('/')
    await page.evaluate('window.isSamePage = true')
    await page.selectOption('[name="locale"]', 'de')
    await page.waitForURL('**/*locale=de*')
    await opened.until(`document.querySelector('iframe')?.contentDocument?.documentElement?.lang === 'de'`)
    await choose('sample', 'long')
    await page.waitForURL('**/*sample=long*')
    await page.click('[data-id="mail/alert"]')
    await page.waitForURL('**/*view=mail%2Falert*')
    await page.goBack()
    await opened.until(`document.querySelector('.entry[aria-current]')?.getAttribute('data-id') === 'mail/access'`)
    expect(await page.evaluate('window.isSamePage')).toBe(true)
    expect(frame().url()).toContain('sample=long')
  })

  test('typed values show in the mail, and mistakes in them are told beside the editor', async () => {
    opened = await openWorkbench(browser)
    const { page, show } = opened
    await show('/')
    await page.click('#values summary')
    await page.fill('#values-text', '{ "purposeText": "Pay 7 EUR to Ben" }')
    await page.click('text=Apply')
    await opened.until(
      `document.querySelector('iframe')?.contentDocument?.body?.textContent.includes('Pay 7 EUR to Ben')`,
    )
    await page.fill('#values-text', '{ "purposeText": ')
    await page.click('text=Apply')
    await page.waitForSelector('#values .error')
    expect(await page.inputValue('#values-text')).toBe('{ "purposeText":')
  })

  test('a test mail is sent from its tab, by the keyboard alone', async () => {
    opened = await openWorkbench(browser)
    const { page, show, host } = opened
    await show('/')
    await page.focus('[data-tab="html"]')
    await page.keyboard.press('ArrowLeft')
    expect(await page.getAttribute('#tab-send', 'aria-selected')).toBe('true')
    await page.keyboard.press('Tab')
    await page.keyboard.type('dev@example.com')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.result-accepted')
    const { mail } = await host.mailbox.mailTo('dev@example.com')
    expect(mail.subject).toMatch(/^\[TEST\] /)
  })

  test('a mail shows up in the open inbox by itself', async () => {
    const inbox = devInbox()
    opened = await openWorkbench(
      browser,
      {},
      { inbox, otp: { mail: { transport: inbox, from: 'no-reply@acme.example' } } },
    )
    const { page } = opened
    await page.goto('/workbench/inbox')
    await opened.until(`document.querySelector('#live')?.textContent === 'Live'`)
    await inbox.sendMail({ to: 'ana@example.com', subject: 'First', text: 'x', html: '<p>One' })
    await page.waitForSelector('text=First')
    await inbox.sendMail({ to: 'ana@example.com', subject: 'Second', text: 'x', html: '<p>Two' })
    await opened.until(`document.querySelectorAll('.entry-mail').length === 2`)
    expect(await page.textContent('.entry-mail')).toContain('Second')
  })

  test('H12: a script in a mail does not run', async () => {
    const inbox = devInbox()
    opened = await openWorkbench(browser, {}, { inbox })
    const html =
      '<script>parent.document.title = "taken"</script><img src=x onerror="parent.document.title = 1"><p>Text'
    await inbox.sendMail({ to: 'ana@example.com', subject: 'Evil', text: 'x', html })
    await opened.show('/inbox')
    expect(await opened.frame().textContent('p')).toContain('Text')
    expect(await opened.page.title()).toBe('Evil · Workbench')
  })

  describe.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['at 375 px', { viewport: { width: 375, height: 667 } }],
  ] as [string, BrowserContextOptions][])('%s', (_name, look) => {
    test('axe finds no violation on any tab, and nothing is wider than the screen', async () => {
      opened = await openWorkbench(browser, {}, {}, look)
      const { page, show } = opened
      await show('/?locale=ar')
      for (const tab of ['html', 'text', 'source', 'message', 'line', 'variables', 'checks', 'send']) {
        await page.click(`[data-tab="${tab}"]`)
        await page.evaluate(axe.source)
        const options = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], iframes: false }
        const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        expect([tab, found]).toEqual([tab, []])
        expect([tab, await page.evaluate('document.documentElement.scrollWidth > innerWidth')]).toEqual([tab, false])
      }
    })
  })
})
