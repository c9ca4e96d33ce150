import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { ANA, HostApp } from './host-app.js'

export interface BrowserPage {
  readonly host: HostApp
  readonly page: Page
  /** What the browser refused because of the Content-Security-Policy. */
  readonly cspViolations: readonly string[]
  close(): Promise<void>
}

/** The test app with a link to sign in and a described action, and a page in a context of its own. */
export async function openPage(
  browser: Browser,
  options: Parameters<typeof HostApp.start>[0] = {},
  look: BrowserContextOptions = {},
): Promise<BrowserPage> {
  const host = await HostApp.start({
    ...options,
    after: (app, otp) => {
      app.get('/sign-in-as-ana', (req, res) => {
        req.session.user = ANA
        res.send('hello')
      })
      app.get('/action', otp.requireOtp({ purpose: 'action', describe: () => 'Send 50 EUR to Ben' }), (_req, res) => {
        res.send('done')
      })
      options.after?.(app, otp)
    },
  })
  const context = await browser.newContext({ baseURL: host.origin, ...look })
  const page = await context.newPage()
  const cspViolations: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) cspViolations.push(message.text())
  })
  const close = async (): Promise<void> => {
    await context.close()
    await host.close()
  }
  return { host, page, cspViolations, close }
}
