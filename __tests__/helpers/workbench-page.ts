import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, BrowserContextOptions, Frame } from 'playwright-core'
import { type BrowserPage, openPage } from './browser-page.js'
import type { HostOptions } from './host-app.js'
import { workbench, type WorkbenchOptions } from '../../src/workbench/index.js'

export interface WorkbenchPage extends BrowserPage {
  /** Writes a file of the host's views. */
  readonly write: (file: string, text: string) => void
  /** Opens a screen, and waits until its frame is measured. */
  readonly show: (query: string) => Promise<void>
  /** The frame with the mail or page. */
  readonly frame: () => Frame
  /** Waits until an expression is true in the page; its policy forbids the polling of Playwright, which uses eval. */
  readonly until: (expression: string) => Promise<void>
  /** What the browser measured. */
  readonly measured: () => Promise<string>
}

/** An app with a views folder of its own, and its workbench in a browser. */
export async function openWorkbench(
  browser: Browser,
  files: Readonly<Record<string, string>> = {},
  { otp, ...options }: HostOptions & WorkbenchOptions = {},
  look: BrowserContextOptions = {},
): Promise<WorkbenchPage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'workbench-'))
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), text)
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  const opened = await openPage(
    browser,
    {
      otp: { site: { name: 'Acme', origin: 'http://localhost:3000' }, views: folder, ...otp },
      after: (app, plugin) =>
        void app.use('/workbench', workbench(plugin, options.inbox ? { inbox: options.inbox } : {})),
    },
    look,
  )
  const { page } = opened
  return {
    ...opened,
    write,
    async show(query) {
      await page.goto(`/workbench${query}`)
      await page.waitForSelector('#measured[data-done]', { state: 'attached' })
    },
    async until(expression) {
      const deadline = Date.now() + 10_000
      while (!(await page.evaluate(`Boolean(${expression})`))) {
        if (Date.now() > deadline) throw new Error(`never true: ${expression}`)
        await page.waitForTimeout(20)
      }
    },
    frame() {
      const frame = page.frames().find((one) => one.parentFrame() && one.url().includes('/frame'))
      if (!frame) throw new Error('there is no frame')
      return frame
    },
    measured: async () => (await page.textContent('#measured')) ?? '',
    async close() {
      await opened.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
