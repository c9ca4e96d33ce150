import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** `describe` for suites that need a server. Without one they are skipped with a warning, and fail in CI. */
export function describeWith(server: string, found: string | undefined, hint: string): jest.Describe {
  if (found !== undefined) return describe
  if (process.env.CI) throw new Error(`These tests need ${server}. ${hint}`)
  const file = path.relative(path.join(__dirname, '..'), expect.getState().testPath ?? '')
  console.warn(`SKIPPED in ${file}: all tests with ${server}, since it is not on this machine. ${hint}`)
  return describe.skip
}

/**
 * A free port below the ephemeral ports (32768 or 49152 and up), which the system could assign to another test's server
 * a moment later.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    const probe = createServer().listen(port, '127.0.0.1')
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

/** PostgreSQL refuses to run as root. It then runs as this user of its Debian package. */
export function unprivileged(user: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const running = new Set<ServerProcess>()
process.on('exit', () => {
  for (const server of running) server.signal('SIGKILL')
})

/** A server process with a folder of its own, and a check that it answers. */
export class ServerProcess {
  readonly folder: string
  #child: ChildProcess | null = null
  #output = ''

  constructor(
    readonly command: string,
    readonly args: (folder: string) => readonly string[],
    readonly ping: () => Promise<unknown>,
    readonly as: { uid?: number; gid?: number } = {},
  ) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'otp-server-'))
    if (as.uid !== undefined) chownSync(this.folder, as.uid, as.gid ?? as.uid)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  async start(): Promise<void> {
    const child = spawn(this.command, this.args(this.folder), { ...this.as, cwd: this.folder })
    this.#child = child
    this.#output = ''
    child.stdout.on('data', (text: Buffer) => (this.#output += text.toString()))
    child.stderr.on('data', (text: Buffer) => (this.#output += text.toString()))
    running.add(this)
    for (let attempts = 0; attempts < 400; attempts++) {
      if (child.exitCode !== null) break
      try {
        await this.ping()
        return
      } catch {
        await sleep(25)
      }
    }
    await this.end('SIGKILL')
    throw new Error(`${this.command} does not answer:\n${this.#output}`)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
  }

  /** Ends the process and waits for its exit. It can be started again. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.signal(signal)
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit')
    running.delete(this)
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    await this.end(signal)
    rmSync(this.folder, { recursive: true, force: true })
  }
}
