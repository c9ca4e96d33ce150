import type { Browser } from 'playwright-core'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import { openWorkbench, type WorkbenchPage } from '../helpers/workbench-page.js'

describeInBrowser('the workbench in a real browser', () => {
  let browser: Browser
  let opened: WorkbenchPage

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  afterEach(() => opened.close())

  test('an edit shows in the frame within a second, a broken one is told until it is mended', async () => {
    opened = await openWorkbench(browser, { 'mail/code/html.hbs': '<p>One {{> code}}</p>' })
    const { page, show, frame, write, cspViolations } = opened
    await show('/')
    expect(await frame().textContent('body')).toContain('One')
    const durations: number[] = []
    for (const word of ['Two', 'Three', 'Four']) {
      const saved = Date.now()
      write('mail/code/html.hbs', `<p>${word} {{> code}}</p>`)
      await opened.until(`document.querySelector('iframe')?.contentDocument?.body?.textContent.includes('${word}')`)
      durations.push(Date.now() - saved)
    }
    expect(Math.min(...durations)).toBeLessThan(1_000) // the machine may be busy with something else
    write('mail/code/html.hbs', '<p>{{nothing}} {{> code}}</p>')
    await page.waitForSelector('.failure')
    expect(await page.textContent('.failure')).toMatch(/html\.hbs:1:6.*nothing/s)
    write('mail/code/html.hbs', '<p>Five, mended {{> code}}</p>')
    await page.waitForSelector('.failure', { state: 'detached' })
    await opened.until(`document.querySelector('iframe')?.contentDocument?.body?.textContent.includes('Five')`)
    expect(cspViolations).toEqual([])
  })

  test('a layout whose style sheet turns the code white in dark mode is found', async () => {
    const style = '@media (prefers-color-scheme: dark) { span, td, p, div { color: #fff !important } }'
    opened = await openWorkbench(browser, {
      'layouts/mail.html.hbs': `<!doctype html><html lang="{{locale}}" dir="{{dir}}"><head><meta name="color-scheme" content="light dark"><style>${style}</style></head><body style="background:#fff;color:#111">{{body}}</body></html>`,
      'partials/code.html.hbs': '<p style="color:#111">{{code}}</p>',
    })
    await opened.show('/')
    expect(await opened.measured()).toMatch(/"\d{6}" has a contrast of 1\.0:1 in dark, #ffffff on #ffffff/)
    expect(await opened.measured()).not.toContain('in light')
    expect(await opened.page.textContent('#check-count')).not.toBe('')
  })
})
