import { type Script, scripts } from './scripts.js'
import { inMilliseconds, openOutcome, redeemOutcome, spendOutcome } from '../reply-codec.js'
import type {
  Attempt,
  BucketRequest,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  RedeemOutcome,
  SpendOutcome,
} from '../store.js'
import { OptionChecker } from '../../validate.js'

const check = new OptionChecker('RedisStore')

export interface RedisStoreOptions {
  /**
   * Sends one command and gives its reply: `(...args) => client.sendCommand(args)` with node-redis,
   * `(command, ...args) => client.call(command, ...args)` with ioredis. On a cluster the command goes to the node of
   * its first key, which is the fourth argument.
   */
  send: (...args: string[]) => Promise<unknown>
  /** Before every key; `otp:` by default. */
  prefix?: string
  /** Seconds that Redis may take for a reply before the request ends as 503; 2 by default. */
  deadline?: number
}

/**
 * Keeps challenges and buckets in Redis (5 or newer) or Valkey, alone or as a cluster, for any number of processes.
 * Each act is one script in one round trip, by the clock of Redis. Every key has a TTL, and all keys of one user share
 * a hash tag.
 *
 * Whatever Redis throws is thrown on. A guess whose reply was lost is counted all the same, and the store sends no script
 * a second time, but for the one answer that says that it did not run (NOSCRIPT). So must the client: ioredis is told by
 * `autoResendUnfulfilledCommands: false`, and its `Cluster` by `retryDelayOnFailover: 0`.
 * @example
 * ```ts
 * const client = await createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true }).connect()
 * const store = new RedisStore({ send: (...args) => client.sendCommand(args) })
 * ```
 * @throws OtpError `invalid_option`
 */
export class RedisStore implements OtpStore {
  readonly deadline: number
  readonly #send: RedisStoreOptions['send']
  readonly #prefix: string

  constructor(options: RedisStoreOptions) {
    check.rejectUnknownKeys('', options, ['send', 'prefix', 'deadline'])
    const { send, prefix = 'otp:', deadline = 2 } = options
    if (typeof send !== 'function') {
      const cure = 'Give `(...args) => client.sendCommand(args)` for node-redis, `client.call(...args)` for ioredis.'
      throw check.invalid('send', send, cure)
    }
    // A brace would move the hash tag, and with it the keys of one user to different nodes of a cluster.
    if (typeof prefix !== 'string' || /[{}\s]/.test(prefix)) {
      throw check.invalid('prefix', prefix, 'Give text without braces and spaces, such as `otp:`.')
    }
    this.#send = send
    this.#prefix = prefix
    this.deadline = check.seconds('deadline', deadline, 0.1, 60)
  }

  async open(request: OpenRequest): Promise<OpenOutcome> {
    const { user, existing, fresh, lifetime, attempts, sends, resend, failures } = request
    const known = existing ?? fresh
    const keys = [
      ...[known, fresh].flatMap(({ id }) => [this.#challenge(user, id), this.#bucket(user, `resend:${id}`)]),
      this.#bucket(user, 'sends'),
      this.#bucket(user, 'failures'),
    ]
    const digests = [known, fresh].flatMap(({ short, long }) => [
      taggedDigest('short', short),
      taggedDigest('long', long),
    ])
    const limits = [sends, resend, failures].flatMap(inMilliseconds)
    const numbers = [Math.ceil(lifetime * 1000), attempts, ...limits].map(String)
    const reply = await this.#run(scripts.open, keys, [existing ? '1' : '0', ...digests, ...numbers])
    return openOutcome(reply, request)
  }

  async redeem({ user, id, kind, digest, failures }: Attempt): Promise<RedeemOutcome> {
    const keys = [this.#challenge(user, id), this.#bucket(user, 'failures')]
    const args = [taggedDigest(kind, digest), ...inMilliseconds(failures).map(String)]
    return redeemOutcome(await this.#run(scripts.redeem, keys, args))
  }

  async spend({ user, bucket, permits = 1, ...limit }: BucketRequest): Promise<SpendOutcome> {
    const args = [permits, ...inMilliseconds(limit)].map(String)
    return spendOutcome(await this.#run(scripts.spend, [this.#bucket(user, bucket)], args))
  }

  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const tail = [String(keys.length), ...keys, ...args]
    try {
      return await this.#send('EVALSHA', script.sha, ...tail)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return this.#send('EVAL', script.text, ...tail)
    }
  }

  #challenge(user: string, id: string): string {
    return `${this.#prefix}{${user}}:challenge:${id}`
  }

  #bucket(user: string, name: string): string {
    return `${this.#prefix}{${user}}:bucket:${name}`
  }
}

/** What is compared: a code of one kind is never one of the other. */
function taggedDigest(kind: 'short' | 'long', digest: string): string {
  return `${kind} ${digest}`
}

// After any other error the script may have run: to send it again would count twice. The second wording is that of
// Valkey GLIDE 2, which translates what the server says.
const UNKNOWN_SCRIPT = /^(?:NOSCRIPT |An error was signalled by the server: - NoScriptError: )/

function isUnknownScript(error: unknown): boolean {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : null
  return typeof message === 'string' && UNKNOWN_SCRIPT.test(message)
}
