import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const README = readFileSync(path.join(__dirname, '../../README.md'), 'utf8')
// Inside the project, where `express-email-otp` means the built package as it means it to a host.
const FOLDER = path.join(__dirname, '../../build/readme')

/** A snippet of the README by the mark before it. */
export function snippet(name: string): string {
  const code = new RegExp(`<!-- run: ${name} -->\\s+\`\`\`js\\n([^]*?)\`\`\``).exec(README)?.[1]
  if (code === undefined) throw new Error(`the README has no snippet ${name}`)
  return code
}

export function write(file: string, source: string): string {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(path.join(FOLDER, file), source)
  return path.join(FOLDER, file)
}

/** Programs made of snippets, each in a process of its own. */
export class Programs {
  readonly #children = new Set<ChildProcess>()

  /** Starts one and gives the first that it prints, once it does. */
  async start(file: string, env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.add(child)
    let complaints = ''
    child.stderr.on('data', (text: Buffer) => (complaints += text.toString()))
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [Buffer | number | null]
    if (!Buffer.isBuffer(said)) throw new Error(`${path.basename(file)} ended before it was ready:\n${complaints}`)
    return { child, said: said.toString().trim() }
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    this.#children.clear()
  }
}
