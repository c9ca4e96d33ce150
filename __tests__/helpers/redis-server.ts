import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { describeWith, freePort, ServerProcess } from './server-process.js'

const FOLDERS = (process.env.PATH ?? '').split(path.delimiter)
const CANDIDATES = [process.env.REDIS_SERVER, ...FOLDERS.map((folder) => path.join(folder, 'redis-server'))]
const BINARY = CANDIDATES.find((file) => file !== undefined && existsSync(file))

export const describeWithRedis = describeWith(
  'Redis',
  BINARY,
  'Install redis-server (Debian: apt-get install redis-server) or set REDIS_SERVER to its path.',
)

/** A real Redis on loopback, empty, in memory only. */
export class RedisServer {
  readonly #process: ServerProcess
  /** The connection of {@link passTime}, which cases call often. */
  #clock: ReturnType<RedisServer['client']> | null = null

  private constructor(
    readonly port: number,
    more: readonly string[],
  ) {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more]
    const ping = (): Promise<unknown> => this.ask('PING')
    this.#process = new ServerProcess(BINARY ?? 'redis-server', (dir) => [...args, '--dir', dir], ping)
  }

  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), more)
    await server.#process.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  private client() {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    return client
  }

  /** One command over a connection of its own. */
  async ask(...command: string[]): Promise<unknown> {
    const client = this.client()
    await client.connect()
    try {
      return await client.sendCommand(command)
    } finally {
      client.destroy()
    }
  }

  /** Moves the clock of the store: shortens the TTL of every key. */
  async passTime(seconds: number): Promise<void> {
    const script = `for _, key in ipairs(redis.call('KEYS', '*')) do
      redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
    end`
    if (!this.#clock?.isReady) {
      this.#clock = this.client()
      await this.#clock.connect()
    }
    await this.#clock.sendCommand(['EVAL', script, '0', String(seconds * 1000)])
  }

  /** Like a machine that loses power. */
  kill(): Promise<void> {
    return this.#process.end('SIGKILL')
  }

  /** Starts again at the same port, empty. */
  restart(): Promise<void> {
    return this.#process.start()
  }

  stop(): Promise<void> {
    if (this.#clock?.isOpen) this.#clock.destroy()
    return this.#process.stop('SIGKILL')
  }
}

/** Three nodes that share the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const nodes: RedisServer[] = []
    const buses: string[] = []
    for (let i = 0; i < 3; i++) {
      buses.push(String(await freePort()))
      nodes.push(await RedisServer.start(['--cluster-enabled', 'yes', '--cluster-port', ...buses.slice(-1)]))
    }
    for (const [i, node] of nodes.entries()) {
      const [from, to] = [Math.floor((16_384 * i) / 3), Math.floor((16_384 * (i + 1)) / 3) - 1]
      await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
      await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    }
    for (const node of nodes.slice(1)) {
      await node.ask('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port), buses[0] ?? '')
    }
    for (const node of nodes) {
      while (!String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(50)
    }
    return new RedisCluster(nodes)
  }

  async passTime(seconds: number): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.passTime(seconds)))
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop()
  }
}
