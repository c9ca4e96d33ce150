import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { Client, Pool, type PoolConfig } from 'pg'
import { describeWith, freePort, ServerProcess, unprivileged } from './server-process.js'

const DEBIAN = '/usr/lib/postgresql'
const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
const CANDIDATES = [
  process.env.POSTGRES_BIN,
  ...versions.map((version) => path.join(DEBIAN, version, 'bin')),
  ...(process.env.PATH ?? '').split(path.delimiter),
]
const BIN = CANDIDATES.find((folder) => folder !== undefined && existsSync(path.join(folder, 'initdb')))

export const describeWithPostgres = describeWith(
  'PostgreSQL',
  BIN,
  'Install postgresql (Debian: apt-get install postgresql) or set POSTGRES_BIN to the folder of its programs.',
)

/**
 * Connection options for a clock that stands still until {@link PostgresServer.passTime} moves it: the schema `moved`
 * hides the built-in clock_timestamp().
 */
export const MOVED_CLOCK = '-c search_path=moved,pg_catalog,public'

/** A real PostgreSQL on loopback with a fresh database. */
export class PostgresServer {
  readonly #process: ServerProcess
  readonly #pools: Pool[] = []
  /** The connection of {@link passTime}, which cases call often. */
  #clock: Pool | null = null

  private constructor(readonly port: number) {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=60']
    this.#process = new ServerProcess(
      path.join(BIN ?? '', 'postgres'),
      (folder) => ['-D', folder, '-p', String(port), ...settings.flatMap((one) => ['-c', one])],
      () => this.ask('SELECT 1'),
      unprivileged('postgres'),
    )
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort())
    const { folder, as } = server.#process
    const init = ['-D', folder, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C']
    execFileSync(path.join(BIN ?? '', 'initdb'), init, { ...as, cwd: folder, stdio: 'ignore' })
    await server.#process.start()
    return server
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
  }

  /** A pool that {@link closePools} and {@link stop} close. */
  pool(config: PoolConfig = {}): Pool {
    const pool = new Pool({ connectionString: this.url, max: 20, ...config })
    pool.on('error', () => undefined)
    this.#pools.push(pool)
    return pool
  }

  async closePools(): Promise<void> {
    for (const pool of this.#pools.splice(0)) await pool.end()
  }

  /** One statement over a connection of its own. */
  async ask(text: string, values?: unknown[]): Promise<unknown[]> {
    const client = new Client({ connectionString: this.url })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query(text, values)).rows as unknown[]
    } finally {
      await client.end()
    }
  }

  /** Moves the clock of connections with {@link MOVED_CLOCK}. */
  async passTime(seconds: number): Promise<void> {
    if (!this.#clock) {
      this.#clock = new Pool({ connectionString: this.url, max: 1 })
      this.#clock.on('error', () => undefined)
      await this.#clock.query(`
        CREATE SCHEMA moved;
        CREATE TABLE moved.clock AS SELECT pg_catalog.clock_timestamp() AS at;
        CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
          $$ SELECT at FROM moved.clock $$;
      `)
    }
    await this.#clock.query(`UPDATE moved.clock SET at = at + $1 * interval '1 second'`, [seconds])
  }

  /** Like a machine that loses power. */
  kill(): Promise<void> {
    return this.#process.end('SIGQUIT')
  }

  /** Starts again at the same port, with its data. */
  restart(): Promise<void> {
    return this.#process.start()
  }

  async stop(): Promise<void> {
    await this.closePools()
    await this.#clock?.end()
    await this.#process.stop('SIGINT')
  }
}
