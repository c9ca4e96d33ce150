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
   * Sends one command and resolves with its reply: `(...args) => client.sendCommand(args)` with node-redis,
   * `(command, ...args) => client.call(command, ...args)` with ioredis. On a cluster the command must go to the node of
   * its first key, the fourth argument.
   */
  send: (...args: string[]) => Promise<unknown>
  /** Prefix of all keys; `otp:` by default. */
  prefix?: string
  /** Seconds to wait for a reply, from 0.1 to 60, before the request ends as 503; 2 by default. */
  deadline?: number
}

/**
 * Keeps challenges and buckets in Redis (5 or newer) or Valkey, a single server or a cluster, for any number of
 * processes. Each operation is one script and one round trip, and uses the clock of Redis. Every key has a TTL. All keys
 * of one user share a hash tag.
 *
 * Errors of the client are passed on. A guess counts even if its reply was lost, so a script must not be sent twice. The
 * store repeats one only after NOSCRIPT, which says that it did not run. Configure the client not to repeat commands
 * either: ioredis needs `autoResendUnfulfilledCommands: false`, its `Cluster` also `retryDelayOnFailover: 0`.
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
      const hint = 'Give `(...args) => client.sendCommand(args)` for node-redis, `client.call(...args)` for ioredis.'
      throw check.invalid('send', send, hint)
    }
    // A brace would change the hash tag and spread the keys of one user over the nodes of a cluster.
    if (typeof prefix !== 'string' || /[{}\s]/.test(prefix)) {
      throw check.invalid('prefix', prefix, 'Give text without braces and spaces, such as `otp:`.')
    }
    this.#send = send
    this.#prefix = prefix
    this.deadline = check.seconds('deadline', deadline, 0.1, 60)
  }

  async open(request: OpenRequest): Promise<OpenOutcome> {
    const { user, existing, fresh, lifetime, attempts, sends, resend, failures, extraBuckets = [] } = request
    const preferred = existing ?? fresh
    const keys = [
      ...[preferred, fresh].flatMap(({ id }) => [this.#challenge(user, id), this.#bucket(user, `resend:${id}`)]),
      this.#bucket(user, sends.bucket ?? 'sends'),
      this.#bucket(user, 'failures'),
      ...extraBuckets.map(({ bucket }) => this.#bucket(user, bucket)),
    ]
    const digests = [preferred, fresh].flatMap(({ short, long }) => [
      taggedDigest('short', short),
      taggedDigest('long', long),
    ])
    const limits = [sends, resend, failures].flatMap(inMilliseconds)
    const extras = extraBuckets.flatMap((extra) => [...inMilliseconds(extra), extra.onlyIfFresh ? 1 : 0])
    const numbers = [Math.ceil(lifetime * 1000), attempts, ...limits, ...extras].map(String)
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

/** With its kind, so that a short code never equals a long one. */
function taggedDigest(kind: 'short' | 'long', digest: string): string {
  return `${kind} ${digest}`
}

// After any other error the script may have run, and sending it again would count twice. The second wording is that of
// Valkey GLIDE 2, which rephrases errors of the server.
const UNKNOWN_SCRIPT = /^(?:NOSCRIPT |An error was signalled by the server: - NoScriptError: )/

function isUnknownScript(error: unknown): boolean {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : null
  return typeof message === 'string' && UNKNOWN_SCRIPT.test(message)
}
