import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const CHROMIUM = CANDIDATES.find((file) => file !== undefined && existsSync(file))

if (CHROMIUM === undefined) {
  const cure = 'Install Chromium (Debian: apt-get install chromium) or set CHROMIUM to its path.'
  if (process.env.CI) throw new Error(`The browser tests need a browser. ${cure}`)
  console.warn(`SKIPPED: all browser tests, since there is no browser. ${cure}`)
}

/** A suite that needs a browser: skipped with a loud word where there is none, a failure in CI. */
export const describeInBrowser = CHROMIUM === undefined ? describe.skip : describe

export async function launch(): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
