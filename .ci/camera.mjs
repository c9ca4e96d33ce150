// Takes the pictures of .ci/pictures.mjs.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { chromium } from 'playwright-core'

const FOLDER = path.join(import.meta.dirname, '../docs/pictures')
const CODE = '482915'
const TAG = 'KQF'
/** Two pixels for one, for sharp screens. The height grows with the content. */
const MAIL = { viewport: { width: 640, height: 10 }, deviceScaleFactor: 2, colorScheme: 'light' }
const PAGE = { ...MAIL, viewport: { width: 480, height: 10 } }
const SCREEN = { ...MAIL, viewport: { width: 1280, height: 780 } }

export class Camera {
  #browser

  constructor(browser) {
    this.#browser = browser
    mkdirSync(FOLDER, { recursive: true })
  }

  static async open() {
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
    return new Camera(await chromium.launch({ executablePath, args: ['--no-sandbox'] }))
  }

  /** A mail as a mail program shows it. The code and the tag of its request are replaced. */
  async takeMail(name, { mail, code, tag }, look = {}) {
    const letters = new RegExp(`(?<!\\p{L})${tag}(?!\\p{L})`, 'gu')
    const fixed = (text) => (tag ? text.replaceAll(code, CODE).replace(letters, TAG) : text)
    const context = await this.#browser.newContext({ ...MAIL, ...look })
    const page = await context.newPage()
    await page.setContent(opened(mail.from.value[0], fixed(mail.subject), fixed(mail.html)))
    await page.evaluate(`document.querySelector('iframe').style.height =
      document.querySelector('iframe').contentDocument.documentElement.scrollHeight + 'px'`)
    await this.#take(name, page)
  }

  /** The page that asks for the code, half of it typed. */
  async takePage(name, host, guarded, user, look = {}) {
    const page = await this.#openPage(host, guarded, user, look)
    await page.locator('#otp-code').pressSequentially(CODE.slice(0, 3))
    await this.#take(name, page)
  }

  /** The page after a right code. */
  async takeVerified(name, host, user, look = {}) {
    const page = await this.#openPage(host, '/secret', user, look)
    await host.mailbox.mails(1)
    await page.locator('#otp-code').fill(host.mailbox.code)
    await page.locator('[name="code"]').press('Enter')
    await page.getByText('the secret').waitFor()
    await page.goto(`${host.origin}/2fa`)
    await this.#take(name, page)
  }

  /** The workbench, once it has measured what it shows. */
  async takeWorkbench(name, host, query, { colorScheme = 'light' } = {}) {
    const page = await (await this.#browser.newContext({ ...SCREEN, colorScheme })).newPage()
    await page.goto(`${host.origin}/workbench/${query}`)
    await page.locator(`[name="scheme"][value="${colorScheme}"]`).check()
    await page.waitForSelector('#measured[data-done]', { state: 'attached' })
    await page.waitForSelector('.list [data-level]', { state: 'attached' })
    await this.#take(name, page)
  }

  close() {
    return this.#browser.close()
  }

  async #openPage(host, guarded, user, look) {
    const context = await this.#browser.newContext({ ...PAGE, ...look })
    await context.clock.setFixedTime('2030-01-01T14:22:00Z') // the seconds until the next mail stand still
    await context.request.post(`${host.origin}/login`, { data: { user } })
    const page = await context.newPage()
    await page.goto(host.origin + guarded)
    await page.waitForSelector('#otp-code')
    const state = await context.request.get(page.url(), { headers: { Accept: 'application/json' } })
    const { tag } = await state.json()
    const line = page.locator('#otp-tag')
    const text = (await line.textContent()) ?? ''
    await line.evaluate((element, fixed) => void (element.textContent = fixed), text.replace(tag, TAG))
    return page
  }

  async #take(name, page) {
    const file = path.join(FOLDER, `${name}.png`)
    await page.screenshot({ path: file, fullPage: true, animations: 'disabled' })
    await page.context().close()
    // Where it is installed the file becomes a third of its size.
    spawnSync('pngquant', ['--force', '--skip-if-larger', '--strip', '--output', file, '128', file])
  }
}

/** What a mail program shows around a mail: who wrote, when, and the subject. */
function opened({ name, address }, subject, html) {
  const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
  return `<!doctype html><meta charset="utf-8"><style>
    :root { color-scheme: light dark }
    body { margin: 0; font: 14px/20px system-ui; background: light-dark(#fff, #16181d) }
    header { padding: 20px 24px 16px; display: grid; grid-template-columns: 40px 1fr auto; gap: 2px 12px }
    h1 { margin: 0 0 12px; font-size: 20px; line-height: 28px; grid-column: 1 / -1 }
    i { grid-row: span 2; border-radius: 50%; background: light-dark(#e2e5ec, #343a47); font: 600 17px/40px system-ui; text-align: center }
    small { font-size: 13px; color: light-dark(#5a6070, #a6adbd); grid-column: 2 }
    time { font-size: 13px; color: light-dark(#5a6070, #a6adbd) }
    iframe { display: block; width: 100%; border: 0; border-top: 1px solid light-dark(#e2e5ec, #2b303b) }
  </style><header><h1 dir="auto">${escaped(subject)}</h1><i>${escaped(name[0])}</i><b>${escaped(name)}</b><time>14:22</time>
  <small>${escaped(address)}</small></header><iframe srcdoc="${escaped(html)}"></iframe>`
}
