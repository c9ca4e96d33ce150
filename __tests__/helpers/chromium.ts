import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CANDIDATES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const CHROMIUM = CANDIDATES.find((file) => file !== undefined && existsSync(file))

if (CHROMIUM === undefined) {
  const advice = 'Install Chromium (Debian: apt-get install chromium) or set CHROMIUM to its path.'
  if (process.env.CI) throw new Error(`The browser tests need a browser. ${advice}`)
  console.warn(`All browser tests are skipped: there is no browser. ${advice}`)
}

/** A suite that needs a browser. Without one it is skipped with a warning; in CI it fails. */
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
