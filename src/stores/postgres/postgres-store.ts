import { schema } from './schema.js'
import { inMilliseconds, openOutcome, redeemOutcome, spendOutcome } from '../reply-codec.js'
import type {
  Attempt,
  BucketRequest,
  ExtraBucket,
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
   * Runs one statement outside of any transaction: `(text, values) => pool.query(text, values)` with `pg`. Do not pass a
   * client that is inside a transaction: a rollback would undo counted guesses.
   */
  query: (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>
  /** Seconds to wait for a reply, from 0.1 to 60, before the request ends as 503; 2 by default. */
  deadline?: number
}

/**
 * Keeps challenges and buckets in PostgreSQL (12 or newer), for any number of processes. Each operation is one function
 * call and one round trip, and uses the clock of the server. Operations of one user run one after the other; one that
 * waits two seconds for a lock fails. The operations also delete expired rows.
 *
 * Run {@link PostgresStore.schema} once, as a migration or at start; it creates what is missing. The operations need only
 * SELECT, INSERT, UPDATE and DELETE on the two tables.
 * @example
 * ```ts
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 2000 })
 * pool.on('error', (error) => console.error('postgres:', error.message)) // or a lost connection ends the process
 * await pool.query(PostgresStore.schema)
 * const store = new PostgresStore({ query: (text, values) => pool.query(text, values) })
 * ```
 * @throws OtpError `invalid_option`
 */
export class PostgresStore implements OtpStore {
  /**
   * SQL that creates two tables (`otp_challenges`, `otp_buckets`) and their functions (`otp_…`) in the first schema of
   * the search path. It can be run again at any time, also by several processes at once, and beside processes of an
   * earlier version: the names of the functions end in a version, `_v2` now.
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
    const { user, existing, fresh, lifetime, attempts, sends, resend, failures, extraBuckets = [] } = request
    const candidates = [existing, fresh].flatMap((one) => (one ? [one.id, one.short, one.long] : [null, null, null]))
    const numbers = [Math.ceil(lifetime * 1000), attempts, ...inMilliseconds(failures)]
    const buckets: ExtraBucket[] = [{ ...resend, bucket: 'resend:' }, { bucket: 'sends', ...sends }, ...extraBuckets]
    const limits = buckets.map(inMilliseconds)
    const arrays = [
      buckets.map(({ bucket }) => bucket),
      limits.map(([capacity]) => capacity),
      limits.map(([, refill]) => refill),
      buckets.map(({ onlyIfFresh = false }) => onlyIfFresh),
    ]
    return openOutcome(await this.#call('open', user, ...candidates, ...numbers, ...arrays), request)
  }

  async redeem({ user, id, kind, digest, failures }: Attempt): Promise<RedeemOutcome> {
    return redeemOutcome(await this.#call('redeem', user, id, kind, digest, ...inMilliseconds(failures)))
  }

  async spend({ user, bucket, permits = 1, ...limit }: BucketRequest): Promise<SpendOutcome> {
    return spendOutcome(await this.#call('spend', user, bucket, permits, ...inMilliseconds(limit)))
  }

  async #call(
    operation: string,
    ...values: (string | number | null | (string | number | boolean)[])[]
  ): Promise<unknown> {
    const placeholders = values.map((_, i) => `$${i + 1}`)
    const { rows } = await this.#query(`SELECT otp_${operation}_v2(${placeholders.join(', ')}) AS reply`, values)
    const [row] = rows
    return typeof row === 'object' && row !== null && 'reply' in row ? row.reply : row
  }
}
