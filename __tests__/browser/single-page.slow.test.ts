import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page, Route } from 'playwright-core'
import { describeInBrowser, launch } from '../helpers/chromium.js'
import { Mailbox, wrongCode } from '../helpers/mailbox.js'
import { snippet } from '../helpers/readme.js'
import { RecipeProject } from '../helpers/recipe-project.js'

jest.setTimeout(60_000)

const PACKAGES = ['express@5', 'express-session@1', 'cors@2']

describeInBrowser('the single-page app of the docs, on another origin than its API', () => {
  let browser: Browser
  let project: RecipeProject
  let mailbox: Mailbox
  let app: Server
  let api: string
  let page: Page
  const appOrigin = (): string => `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  const says = async (text: string): Promise<void> => page.locator('output', { hasText: text }).waitFor()
  const alert = async (text: RegExp): Promise<void> => page.locator('[role=alert]', { hasText: text }).waitFor()
  const press = async (button: string): Promise<void> => page.getByRole('button', { name: button }).click()
  const type = async (code: string): Promise<void> => {
    await page.getByLabel('Code').fill(code)
    await press('Continue')
  }

  beforeAll(async () => {
    browser = await launch()
    project = await RecipeProject.install(PACKAGES)
  }, 120_000)
  afterAll(async () => {
    project.remove()
    await browser.close()
  })

  beforeEach(async () => {
    mailbox = await new Mailbox().listen()
    app = createServer((req, res) => {
      const isScript = req.url === '/api.js'
      res.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
      res.end(
        isScript ? snippet('single-page-client') : snippet('single-page').replace('https://api.acme.example', api),
      )
    })
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
    api = await project.run('single-page-api', { SMTP_URL: mailbox.url, APP_ORIGIN: appOrigin() })
    page = await browser.newPage()
    await page.goto(appOrigin())
  })
  afterEach(async () => {
    await page.context().close()
    project.stop()
    app.close().closeAllConnections()
    await mailbox.close()
  })

  const signIn = async (): Promise<void> => {
    await press('Sign in')
    await says('Signed in')
  }

  test('is told to sign in, then mails a code, counts a wrong one, and sends the same money after the right one', async () => {
    await press('Send money')
    await says('Not sent: 401') // sign_in_required: no dialog
    await signIn()
    await press('Send money')
    await page.getByText('We have mailed a code to a•••@example.com.').waitFor()
    await type(wrongCode(mailbox.code))
    await alert(/Attempts left: 4\./)
    await type(mailbox.code)
    await says('Sent 50 EUR')
    expect(mailbox.last.mail.text).toContain('Send 50 EUR to Ben')

    const header = async (url: string): Promise<string | null> => {
      const json = { headers: { 'Content-Type': 'application/json' }, body: '{}' }
      const { headers } = await fetch(url, { method: 'POST', credentials: 'include', ...json })
      return headers.get('WWW-Authenticate')
    }
    expect(await page.evaluate(header, `${api}/transfers`)).toMatch(/^EmailOtp .*max_age="300"$/)

    await page.getByLabel('Amount').fill('51')
    await press('Send money')
    await page.getByRole('dialog').waitFor()
    await press('Cancel')
    await says('Not sent: 401')
    expect(mailbox.received).toHaveLength(2)
  })

  test('says how long to wait for another mail, and the code that was mailed still works', async () => {
    await signIn()
    await press('Send money')
    await page.getByRole('dialog').waitFor()
    await press('Send it again')
    await alert(/Try again in \d+ seconds\./)
    expect(mailbox.received).toHaveLength(1)
    await type(mailbox.code)
    await says('Sent 50 EUR')
  })

  test('asks anew after a question that is too old', async () => {
    await signIn()
    const alter = async (route: Route): Promise<void> => {
      const fields = route.request().postDataJSON() as { for: string }
      await route.continue({ postData: JSON.stringify({ ...fields, for: fields.for.slice(1) }) })
    }
    await page.route('**/2fa/verify', alter, { times: 1 })
    await press('Send money')
    await page.getByRole('dialog').waitFor()
    await type(mailbox.code)
    await page.getByRole('dialog').waitFor()
    await type(mailbox.code)
    await says('Sent 50 EUR')
  })

  test('gets no answer for a page of an origin that the API does not trust', async () => {
    await signIn()
    const other = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end('<p>other'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}`)
    const read = await page.evaluate(
      (url) => fetch(url, { method: 'POST', credentials: 'include' }).then(String, String),
      `${api}/2fa/send`,
    )
    expect(read).toMatch(/TypeError: Failed to fetch/)
    expect(mailbox.received).toEqual([])
    other.close().closeAllConnections()
  })
})
