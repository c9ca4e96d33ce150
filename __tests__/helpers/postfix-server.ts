import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { mainCf, masterCf } from './postfix-config.js'
import { describeWith, freePort, unprivileged } from './server-process.js'

const POSTFIX = '/usr/sbin/postfix'
const isRoot = process.getuid?.() === 0
const canStart = fs.existsSync(POSTFIX) && (isRoot || spawnSync('sudo', ['-n', 'true']).status === 0)

export const describeWithPostfix = describeWith(
  'Postfix',
  canStart ? POSTFIX : undefined,
  'Install postfix (Debian: apt-get install postfix), and be root or have a sudo that asks for no password.',
)

// Only root may start, signal and clear away Postfix, so one shell of root's does all three. It waits for the end of its
// input, which comes when we say so and also when we are killed. The pipe to the log ends with Postfix's last process.
// `abort` is a `stop` that does not sleep a second; it is said again because it does nothing amid a start.
const LIFE = `
  "$0" -c "$1/etc" start-fg </dev/null 2>&1 | cat >>"$1/log" &
  cat
  while kill -0 $! 2>/dev/null; do
    "$0" -c "$1/etc" abort >>"$1/log" 2>&1
    sleep 0.1
  done
  rm -rf "$1"
`

/** A real Postfix on loopback that takes mail for everyone at example.com and for nobody else. */
export class PostfixServer {
  // Not below TMPDIR, which may be closed to the user that Postfix runs its processes as.
  readonly #folder = fs.mkdtempSync('/tmp/otp-postfix-')
  readonly #shell: ChildProcessByStdio<Writable, null, null>
  readonly #gone: Promise<unknown>

  private constructor(readonly port: number) {
    // virtual(8) never delivers as root.
    const owner = { ...userInfo(), ...unprivileged('nobody') }
    for (const name of ['.', 'etc', 'queue', 'mail', 'mail/cur', 'mail/new', 'mail/tmp']) {
      const folder = path.join(this.#folder, name)
      fs.mkdirSync(folder, { recursive: true })
      fs.chmodSync(folder, 0o755)
      if (name.startsWith('mail')) fs.chownSync(folder, owner.uid, owner.gid)
    }
    fs.writeFileSync(path.join(this.#folder, 'log'), '')
    fs.writeFileSync(path.join(this.#folder, 'etc/main.cf'), mainCf(this.#folder, owner))
    fs.writeFileSync(path.join(this.#folder, 'etc/master.cf'), masterCf(port))

    const life = ['sh', '-c', LIFE, POSTFIX, this.#folder]
    // In a session of its own: Ctrl-C is for the tests, not for the shell that clears away after them.
    this.#shell = spawn('env', isRoot ? life : ['sudo', '-n', ...life], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    })
    this.#gone = once(this.#shell, 'exit')
  }

  static async start(): Promise<PostfixServer> {
    const server = new PostfixServer(await freePort())
    try {
      await server.#wait('start', 20, () => server.#log.includes(': daemon started '))
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`
  }

  /** Every mail that is in the mailbox, with the address that it was delivered to. */
  delivered(): { to: string; raw: string }[] {
    const raws = this.#files.map((file) => fs.readFileSync(file, 'utf8'))
    return raws.map((raw) => ({ to: /^Delivered-To: (.*)$/m.exec(raw)?.[1] ?? '', raw }))
  }

  /** Waits until `count` mails are delivered and, so that a second copy would show, none that was taken is under way. */
  async until(count: number, seconds = 25): Promise<void> {
    const isIdle = (): boolean => {
      const lines = (what: RegExp): number => this.#log.match(what)?.length ?? 0
      return lines(/smtpd\[\d+\]: \w+: client=/g) === lines(/qmgr\[\d+\]: \w+: removed$/gm)
    }
    await this.#wait(`deliver ${count} mails`, seconds, () => this.#files.length >= count && isIdle())
  }

  async stop(): Promise<void> {
    this.#shell.stdin.end()
    await this.#gone
  }

  get #log(): string {
    return fs.readFileSync(path.join(this.#folder, 'log'), 'utf8')
  }

  get #files(): string[] {
    const folder = path.join(this.#folder, 'mail/new')
    return fs.readdirSync(folder).map((file) => path.join(folder, file))
  }

  async #wait(to: string, seconds: number, isSo: () => boolean): Promise<void> {
    const end = performance.now() + seconds * 1000
    while (!isSo()) {
      if (performance.now() > end || this.#log.includes(': fatal: '))
        throw new Error(`Postfix did not ${to} within ${seconds} s. Its log:\n${this.#log}`)
      await sleep(25)
    }
  }
}
