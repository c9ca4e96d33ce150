// Templates: what a page and a mail cost, and what the start costs with and without a folder of the host's.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { startChild } from './child.mjs'
import { compare, median } from './measure.mjs'
import { goal, print, table, write } from './report.mjs'
import { codePage, floorMail, floorPage, mail } from './views/contexts.mjs'

const require = createRequire(import.meta.url)
const VIEWS = new URL('../views', import.meta.url).pathname
const LANGUAGES = ['en', 'de', 'ar']
const GOALS = { page: 60, mail: 100, plain: 100, everything: 400 }

const microseconds = ({ rate }) => 1e6 / rate

async function rendering(slices) {
  const { createRenderer } = require('../dist/views/renderer.js')
  const views = createRenderer([], 'en')
  const pages = await compare(
    { 'a template by hand': { run: () => floorPage() }, 'our code page': { run: () => views.renderPage(codePage) } },
    slices,
  )
  table('page', pages)
  const mails = await compare(
    {
      'two templates by hand': { run: () => floorMail() },
      'our mail: subject, preheader, HTML, text': { run: () => views.renderMail('transfer', mail) },
    },
    slices,
  )
  table('mail', mails)
  const [page, whole] = [pages['our code page'], Object.values(mails)[1]].map(microseconds)
  goal(`a page in ${GOALS.page} µs (${page.toFixed(0)} µs)`, page <= GOALS.page)
  goal(`a whole mail in ${GOALS.mail} µs (${whole.toFixed(0)} µs)`, whole <= GOALS.mail)
  print()
}

/** A folder with a copy of each of our templates, and the texts of three languages. */
function everything() {
  const folder = mkdtempSync(`${tmpdir()}/otp-views-`)
  const isTaken = (file) => !/\/locales\/.+\.json$/.test(file) || LANGUAGES.some((tag) => file.endsWith(`/${tag}.json`))
  cpSync(VIEWS, folder, { recursive: true, filter: isTaken })
  return folder
}

async function starting(rounds) {
  const folder = everything()
  const starts = { 'no folder': '', 'a folder that replaces everything': folder, 'no folder (A/A)': '' }
  const took = Object.fromEntries(Object.keys(starts).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, views] of Object.entries(starts)) {
      const child = await startChild('./views/start.mjs', views)
      took[name].push(child.ready.ms)
      child.stop()
    }
  }
  rmSync(folder, { recursive: true })
  print(
    `The first \`emailOtp()\` of a process, ${rounds} processes each. The folder has all files, in ${LANGUAGES.length} languages.`,
  )
  print()
  print('| views | median | fastest | slowest |')
  print('|---|--:|--:|--:|')
  for (const [name, all] of Object.entries(took)) {
    print(
      `| ${[name, ...[median(all), Math.min(...all), Math.max(...all)].map((ms) => `${ms.toFixed(0)} ms`)].join(' | ')} |`,
    )
  }
  print()
  const [plain, full] = Object.values(took).map(median)
  goal(`start without a folder in ${GOALS.plain} ms (${plain.toFixed(0)} ms)`, plain <= GOALS.plain)
  goal(`start with everything replaced in ${GOALS.everything} ms (${full.toFixed(0)} ms)`, full <= GOALS.everything)
}

export async function measure({ quick }) {
  print('# Benchmark of the views')
  print()
  print(
    `\`npm run bench -- views\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}.`,
  )
  print('Medians of interleaved slices; each ratio is that of one round, and the A/A line says how much is noise.')
  print('The templates by hand have a few variables, no texts by key, no partials, and no checks.')
  print()
  await rendering({ ...(quick ? { rounds: 5, calls: 2_000 } : { rounds: 21, calls: 5_000 }), inFlight: 1 })
  await starting(quick ? 3 : 11)
  if (!quick) write('views.md')
}
