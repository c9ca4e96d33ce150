// Servers for the benchmarks: on free ports of loopback, in folders of their own, stopped by pid.
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('close', () => socket.destroy()).unref()
  })

async function start(command, args, options) {
  const folder = mkdtempSync(join(tmpdir(), 'otp-bench-'))
  if (options?.uid !== undefined) chownSync(folder, options.uid, options.gid)
  const port = await freePort()
  const child = spawn(command, args(folder, port), { ...options, stdio: 'ignore' })
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', stop)
  for (let attempts = 0; !(await listens(port)); attempts++) {
    if (child.exitCode !== null || attempts > 400) throw new Error(`${command} does not start`)
    await sleep(25)
  }
  return { port, stop }
}

export const startRedis = () =>
  start('redis-server', (dir, port) => ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', dir].map(String))

/** Null where there is no PostgreSQL. */
export async function startPostgres() {
  const folder = '/usr/lib/postgresql'
  const bin = existsSync(folder) ? join(folder, readdirSync(folder).sort().at(-1), 'bin') : null
  if (!bin || !existsSync(join(bin, 'initdb'))) return null
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const as = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {}
  const args = (dir, port) => {
    const init = ['-D', dir, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C']
    execFileSync(join(bin, 'initdb'), init, { ...as, cwd: dir, stdio: 'ignore' })
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
    return ['-D', dir, '-p', String(port), ...settings.flatMap((one) => ['-c', one])]
  }
  return start(join(bin, 'postgres'), args, as)
}
