import { schema } from './schema.js'
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

const check = new OptionChecker('PostgresStore')

export interface PostgresStoreOptions {
  /**
   * Runs one statement by itself: `(text, values) => pool.query(text, values)` with `pg`. Give the pool, never a client
   * that is inside a transaction of yours: rolling that back would give guesses back.
   */
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>
  /** Seconds that Postgres may take for an answer before the request ends as 503; 2 by default. */
  deadline?: number
}

/** The functions and the types of their arguments, which the call casts to: so it means these and no other of that name. */
const SIGNATURES = {
  otp_open: 'text text text text text text text bigint integer integer bigint integer bigint integer bigint',
  otp_redeem: 'text text text text integer bigint',
  otp_spend: 'text text integer integer bigint',
}

/**
 * Keeps challenges and buckets in PostgreSQL (12 or newer), for any number of processes. Each act is one function call
 * in one round trip, by the clock of the server; acts of one user come one after the other, and one that waits for a lock
 * gives up after two seconds. What has expired is removed by the acts themselves.
 *
 * Run {@link PostgresStore.schema} once, as a migration or at start: it makes what is missing. The acts need no more than
 * SELECT, INSERT, UPDATE and DELETE on the two tables.
 * @example
 * ```ts
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 2000 })
 * pool.on('error', (error) => console.error('postgres:', error.message)) // else a lost connection ends the process
 * await pool.query(PostgresStore.schema)
 * const store = new PostgresStore({ query: (text, values) => pool.query(text, values) })
 * ```
 * @throws OtpError `invalid_option`
 */
export class PostgresStore implements OtpStore {
  /**
   * SQL that makes two tables (`otp_challenges`, `otp_buckets`) and their functions (`otp_…`) in the first schema of
   * the search path. It can be run again at any time, by several processes at once too.
   */
  static readonly schema: string = schema

  readonly deadline: number
  readonly #query: PostgresStoreOptions['query']

  constructor(options: PostgresStoreOptions) {
    check.rejectUnknownKeys('', options, ['query', 'deadline'])
    const { query, deadline = 2 } = options
    if (typeof query !== 'function') {
      throw check.invalid('query', query, 'Give `(text, values) => pool.query(text, values)`.')
    }
    this.#query = query
    this.deadline = check.seconds('deadline', deadline, 0.1, 60)
  }

  async open(request: OpenRequest): Promise<OpenOutcome> {
    const { user, existing, fresh, lifetime, attempts, sends, resend, failures } = request
    const candidates = [existing, fresh].flatMap((one) => [one?.id ?? null, one?.short ?? null, one?.long ?? null])
    const limits = [sends, resend, failures].flatMap(inMilliseconds)
    const reply = await this.#call('otp_open', user, ...candidates, Math.ceil(lifetime * 1000), attempts, ...limits)
    return openOutcome(reply, request)
  }

  async redeem({ user, id, kind, digest, failures }: Attempt): Promise<RedeemOutcome> {
    return redeemOutcome(await this.#call('otp_redeem', user, id, kind, digest, ...inMilliseconds(failures)))
  }

  async spend({ user, bucket, permits = 1, ...limit }: BucketRequest): Promise<SpendOutcome> {
    return spendOutcome(await this.#call('otp_spend', user, bucket, permits, ...inMilliseconds(limit)))
  }

  async #call(name: keyof typeof SIGNATURES, ...values: (string | number | null)[]): Promise<unknown> {
    const placeholders = SIGNATURES[name].split(' ').map((type, i) => `$${i + 1}::${type}`)
    const { rows } = await this.#query(`SELECT ${name}(${placeholders.join(', ')}) AS reply`, values)
    const [row] = rows
    return typeof row === 'object' && row !== null && 'reply' in row ? row.reply : row
  }
}
