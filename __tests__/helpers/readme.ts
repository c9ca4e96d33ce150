import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './server-process.js'

const ROOT = path.join(__dirname, '../..')
// Inside the project, so that `express-email-otp` resolves to the built package, as it does for a host.
const FOLDER = path.join(ROOT, 'build/readme')

/** The pages that a host reads: the README and everything in docs/. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]

export function readPage(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8')
}

/** A snippet of these pages, by the comment in front of it. */
export function snippet(name: string): string {
  const pattern = new RegExp(`<!-- run: ${name} -->\\s+\`\`\`\\w+\\n([^]*?)\`\`\``)
  const [code, ...more] = PAGES.flatMap((page) => pattern.exec(readPage(page))?.[1] ?? [])
  if (code === undefined) throw new Error(`no page has a snippet ${name}`)
  if (more.length > 0) throw new Error(`several pages have a snippet ${name}`)
  return code
}

const AsyncFunction = async function () {
  // only its constructor is of interest
}.constructor as new (...namesAndBody: string[]) => (...values: unknown[]) => Promise<unknown>

/** Runs lines of JavaScript with these values around them, and returns what they return. */
export function runLines(lines: string, values: Readonly<Record<string, unknown>>): Promise<unknown> {
  return new AsyncFunction(...Object.keys(values), `{\n${lines}\n}`)(...Object.values(values))
}

export function write(file: string, source: string): string {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(path.join(FOLDER, file), source)
  return path.join(FOLDER, file)
}

/** Writes a project of ES modules in a folder of its own, where this package is installed. Returns its last file. */
export function writeProject(name: string, files: Readonly<Record<string, string>>): string {
  const folder = path.join(FOLDER, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
  symlinkSync(ROOT, path.join(folder, 'node_modules/express-email-otp'))
  const all = { 'package.json': '{ "type": "module" }', ...files }
  for (const [file, source] of Object.entries(all)) writeFileSync(path.join(folder, file), source)
  return path.join(folder, Object.keys(all).at(-1) ?? '')
}

/** Programs made of snippets, each in a process of its own, in the folder of its file. */
export class Programs {
  readonly #children = new Set<ChildProcess>()
  #errors = ''

  /** Starts one and resolves with its first line of output. */
  async start(file: string, env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; said: string }> {
    const child = this.#spawn(file, env)
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [Buffer | number | null]
    if (!Buffer.isBuffer(said)) throw new Error(`${path.basename(file)} ended before it was ready:\n${this.#errors}`)
    return { child, said: said.toString().trim() }
  }

  /** Starts one that listens on the port `PORT`, and resolves with its origin once it answers. */
  async serve(file: string, env: NodeJS.ProcessEnv): Promise<string> {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const child = this.#spawn(file, { ...env, PORT: String(port) })
    while (child.exitCode === null) {
      const answers = await fetch(origin).then(
        () => true,
        () => false,
      )
      if (answers) return origin
      await sleep(25)
    }
    throw new Error(`${path.basename(file)} ended before it was ready:\n${this.#errors}`)
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    this.#children.clear()
  }

  #spawn(file: string, env: NodeJS.ProcessEnv): ChildProcessByStdio<null, Readable, Readable> {
    const child = spawn(process.execPath, [file], {
      cwd: path.dirname(file),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.add(child)
    child.stderr.on('data', (text: Buffer) => (this.#errors += text.toString()))
    return child
  }
}
