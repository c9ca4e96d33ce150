import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore as RedisSessions } from 'connect-redis'
import session from 'express-session'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { HostApp, type HostOptions } from './host-app.js'
import { type OtpOptions, PostgresStore, RedisStore } from '../../src/index.js'

/** Configuration of a host process. */
export interface HostProcessOptions {
  /** URL of Redis or PostgreSQL. */
  readonly store: string
  /** URL of the mail server. */
  readonly smtp: string
  readonly otp?: Partial<OtpOptions>
  /** Seconds by which its clock is ahead. */
  readonly clockOffset?: number
}

/** The host app in a process of its own. Its challenges, buckets and sessions are in a shared database. */
export class HostProcess {
  private constructor(
    readonly origin: string,
    readonly child: ChildProcess,
  ) {}

  static async start(options: HostProcessOptions): Promise<HostProcess> {
    const args = ['--import', 'tsx', __filename]
    const env = { ...process.env, HOST_PROCESS_OPTIONS: JSON.stringify(options) }
    const cwd = path.join(__dirname, '../..')
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer | number]
    if (!Buffer.isBuffer(line)) throw new Error(`the host ended with ${line} before it was ready`)
    return new HostProcess(line.toString().trim(), child)
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}

const cookie = { secret: 'test', resave: false, saveUninitialized: false }
/** Seconds. Hundreds of concurrent requests on a busy machine must not count as a store that is down. */
const DEADLINE = 20

async function redisOptions(url: string): Promise<HostOptions> {
  const client = createClient({ url, disableOfflineQueue: true })
  client.on('error', () => undefined)
  await client.connect()
  return {
    otp: { store: new RedisStore({ send: (...args) => client.sendCommand(args), deadline: DEADLINE }) },
    session: session({ ...cookie, store: new RedisSessions({ client }) }),
  }
}

async function postgresOptions(url: string): Promise<HostOptions> {
  const pool = new Pool({ connectionString: url, max: 20 })
  pool.on('error', () => undefined)
  await pool.query(PostgresStore.schema)
  const Sessions = connectPgSimple(session)
  return {
    otp: { store: new PostgresStore({ query: (text, values) => pool.query(text, values), deadline: DEADLINE }) },
    session: session({ ...cookie, store: new Sessions({ pool, createTableIfMissing: true }) }),
  }
}

async function startHost({ store, smtp, otp, clockOffset = 0 }: HostProcessOptions): Promise<void> {
  const shared = await (store.startsWith('redis') ? redisOptions(store) : postgresOptions(store))
  const mail = { transport: smtp, from: 'Acme <no-reply@acme.example>' }
  const now = (): number => Date.now() + clockOffset * 1000
  const host = await HostApp.start({ ...shared, otp: { mail, now, ...shared.otp, ...otp } })
  console.log(host.origin)
}

if (process.env.HOST_PROCESS_OPTIONS !== undefined)
  void startHost(JSON.parse(process.env.HOST_PROCESS_OPTIONS) as HostProcessOptions)
