// npm run bench -- <name>: installs what is missing, builds what is stale, measures, and writes bench/<name>.md.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { cpus } from 'node:os'

const BENCHES = {
  stores: 'the stores: rates and latency beside a no-op script, PING and SELECT 1; bytes per challenge; sweeping',
  mail: 'sending: mails a second beside the pool of nodemailer; POST /send with a fast and a slow mail server',
  timing: 'whether time tells a typed address that is mailed from one that is not: AUC of answers and what follows',
  views: 'templates: microseconds for a page and a mail, milliseconds for the start',
  http: 'CPU of the server per request, beside hand-written apps, better-auth and passwordless',
}
const HELP = `npm run bench -- <name> [--quick | --profile]

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(8)} ${what}`)
  .join('\n')}

  --quick    fewer and shorter slices, for a first look; nothing is written to bench/<name>.md
  --profile  http only: a CPU profile of send instead, in a file that is named at the end;
             --profile=wrong, right or guard: of these
  --help     this

stores needs redis-server, and postgresql for the lines about PostgreSQL. http only prints: the figures in bench/http.md are
copied by hand. Servers are started on free ports of loopback.`

const ROOT = new URL('..', import.meta.url).pathname
const args = process.argv.slice(2)
const [name] = args.filter((arg) => !arg.startsWith('-'))
const profile = args.find((arg) => /^--profile(=(send|wrong|right|guard))?$/.test(arg))
const odd = args.filter((arg) => {
  const isKnown = arg === '--quick' || arg === '--help' || (arg === profile && name === 'http')
  return arg.startsWith('-') && !isKnown
})

function run(cwd, ...command) {
  const { status } = spawnSync(command[0], command.slice(1), { cwd, stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}

const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0)

if (args.includes('--help') || args.length === 0) {
  console.log(HELP)
} else if (odd.length > 0 || !Object.hasOwn(BENCHES, name ?? '')) {
  const wrong =
    odd.length > 0 ? `the option ${odd.join(' ')}` : name === undefined ? 'no name' : `a benchmark "${name}"`
  console.error(
    `bench: there is ${wrong === 'no name' ? 'no name given' : `no ${wrong.replace(/^(the|a) /, '')}`}.\n\n${HELP}`,
  )
  process.exit(1)
} else {
  run(ROOT, process.execPath, '.ci/prepare.mjs')
  if (time(`${ROOT}bench/node_modules/.package-lock.json`) < time(`${ROOT}bench/package-lock.json`)) {
    console.error('bench: installing the clients …')
    run(`${ROOT}bench`, 'npm', 'ci', '--no-audit', '--no-fund')
  }
  console.error(`bench: ${name} on ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`)
  const { measure } = await import(`./${name}.mjs`)
  await measure({ quick: args.includes('--quick'), profile: profile && (profile.split('=')[1] ?? 'send') })
}
