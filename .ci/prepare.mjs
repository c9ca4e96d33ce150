// Prepares a bare clone for `npm start` and `npm test`: installs if the lock file is newer than node_modules, builds if
// a source is newer than the build.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'

process.chdir(new URL('..', import.meta.url).pathname)

const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0)
const newest = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((latest, entry) => Math.max(latest, time(`${entry.parentPath}/${entry.name}`)), 0)

function run(what, ...command) {
  console.error(`express-email-otp: ${what} …`)
  const { status, error } = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 2, 2] })
  if (status === 0) return
  console.error(`express-email-otp: ${command.join(' ')} failed${error ? `: ${error.message}` : ''}.`)
  process.exit(status ?? 1)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`express-email-otp needs Node 20.12 or newer; this is ${process.version}.`)
  process.exit(1)
}

if (time('node_modules/.package-lock.json') < time('package-lock.json')) {
  run('installing what is missing (once, about a minute)', 'npm', 'ci', '--no-audit', '--no-fund')
}

const sources = Math.max(newest('src'), newest('example-app'), time('tsconfig.json'), time('package.json'))
const built = Math.min(time('dist/index.js'), time('build/example-app/server.js'))
if (built < sources) run('building', 'npm', 'run', '--silent', 'build')
