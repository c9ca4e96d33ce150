import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const ROOT = path.join(__dirname, '../..')

export interface CommandResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The built package in a folder of its own, so that a test can "upgrade" it, and beside it an app that uses it. */
export class CliPackage {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'otp-cli-'))
  readonly #package = path.join(this.#folder, 'package')
  /** Where the commands run. */
  readonly app = path.join(this.#folder, 'app')

  constructor() {
    mkdirSync(this.app)
    for (const one of ['dist', 'views', 'package.json']) {
      cpSync(path.join(ROOT, one), path.join(this.#package, one), { recursive: true })
    }
    for (const one of ['node_modules', 'src']) symlinkSync(path.join(ROOT, one), path.join(this.#package, one))
  }

  /** Runs the command in a process of its own. */
  async run(args: readonly string[], { env = {} }: { env?: NodeJS.ProcessEnv } = {}): Promise<CommandResult> {
    const child = this.spawn(args, env)
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, stdout, stderr }
  }

  spawn(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const script = path.join(this.#package, 'dist/cli/index.js')
    return spawn(process.execPath, [script, ...args], { cwd: this.app, env: { ...process.env, ...env } })
  }

  /** Writes a file of the app. */
  write(file: string, text: string): void {
    const absolute = path.join(this.app, file)
    mkdirSync(path.dirname(absolute), { recursive: true })
    writeFileSync(absolute, text)
  }

  read(file: string): string {
    return readFileSync(path.join(this.app, file), 'utf8')
  }

  /** Changes a built-in file, as a new version of the package does. */
  upgrade(file: string, change: (text: string) => string, version = '9.9.9'): void {
    const rewrite = (one: string, changed: (text: string) => string): void => {
      const absolute = path.join(this.#package, one)
      writeFileSync(absolute, changed(readFileSync(absolute, 'utf8')))
    }
    rewrite(path.join('views', file), change)
    rewrite('package.json', (text) => text.replace(/"version": "[^"]+"/, `"version": "${version}"`))
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}
