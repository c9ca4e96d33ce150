import { createGuard } from './guard.js'
import type { GuardOptions } from './guard-options.js'
import type { Parts } from './parts.js'
import { OtpEvents } from './events.js'
import type { OtpHandler, OtpRequest } from './http.js'
import { deliverJob, type JobOutcome } from './job.js'
import { createMailer } from './mail/delivery.js'
import type { MailHealth } from './mail/health.js'
import { Fates } from './mail/fates.js'
import { resolveMail } from './mail/transport.js'
import type { MailJob, OtpOptions } from './options.js'
import { createRouter } from './router.js'
import { forgetGrants, freshGrant, grantsOf } from './session.js'
import { resolveSettings } from './settings.js'
import { start, type Started, type StartOptions } from './start.js'
import { checkedStore } from './stores/checked.js'
import { MemoryStore } from './stores/memory.js'
import { invalidOption, seconds } from './check.js'
import { loadViews } from './views.js'
import { whoIs } from './visit.js'

/** Where a session stands. */
export interface OtpStatus {
  /** Whether a plain `requireOtp()` would open. */
  readonly verified: boolean
  /** The proven address. */
  readonly email: string | null
  readonly verifiedAt: Date | null
  /** Purposes with a grant that is younger than `grantMaxAge`. */
  readonly purposes: readonly string[]
}

/** What `emailOtp()` gives. */
export interface EmailOtp {
  /** The pages; mount them at `path`. */
  readonly router: OtpHandler
  /** Middleware that keeps a route shut until this session has proven what it asks for. */
  readonly requireOtp: (options?: GuardOptions) => OtpHandler
  /** Mails the code from within a POST of the host's own and gives the URL of the page where it is typed. */
  readonly start: (req: OtpRequest, options?: StartOptions) => Promise<Started>
  readonly events: OtpEvents
  readonly status: (req: OtpRequest) => Promise<OtpStatus>
  /** Drops the grants of this session: at sign-out, say. */
  readonly forget: (req: OtpRequest) => void
  /**
   * In a worker: sends the mail of a job that `mail.deliver` was given, in one try.
   * @throws OtpError `mail_failed` when the job is worth another try, `invalid_job` when it was altered
   */
  readonly deliverJob: (job: MailJob) => Promise<JobOutcome>
  /** Where sending stands, for a health check of yours. */
  readonly health: () => MailHealth
  /** Compiles all templates anew and swaps them in only if all compile. @throws OtpError `invalid_view` */
  readonly reloadViews: () => void
  /** Takes no more mail, gives what is on its way a last chance (10 s at most) and ends timers. */
  readonly close: () => Promise<void>
}

/**
 * Makes the plugin.
 * @example
 * ```ts
 * const otp = emailOtp({
 *   secret: process.env.OTP_SECRET!,
 *   site: { name: 'Acme', origin: 'https://acme.example' },
 *   mail: { transport: process.env.SMTP_URL!, from: 'Acme <no-reply@acme.example>' },
 *   user: (req) => req.session.user ?? null,
 * })
 * app.use('/2fa', otp.router)
 * app.get('/account', otp.requireOtp(), account)
 * ```
 * @throws OtpError `invalid_option` or `invalid_view`, naming option or file, and the cure
 */
export function emailOtp(options: OtpOptions): EmailOtp {
  const settings = resolveSettings(options)
  const mail = resolveMail(options.mail)
  const views = loadViews(settings.viewFolders, settings.locale)
  const events = new OtpEvents(settings.now)
  const store = checkedStore(chooseStore(options, settings.now))
  const mailer = createMailer(
    mail,
    settings.now,
    (outcome, failure, seconds) => {
      events.publish({ type: 'breaker', outcome, class: failure?.class ?? null, seconds })
    },
    settings.user ? Math.max(1, mail.lanes - 1) : mail.lanes,
  )
  const parts: Parts = Object.freeze({ settings, store, views, mail, mailer, fates: new Fates(), events })

  return {
    router: createRouter(parts),
    requireOtp: (guard) => createGuard(parts, guard),
    start: (req, what) => start(parts, req, what),
    events,
    status: (req) => statusOf(parts, req),
    forget: forgetGrants,
    deliverJob: (job) => deliverJob(parts, job),
    health: mailer.health,
    reloadViews: views.reload,
    async close() {
      await parts.mailer.close()
      // A store that the host made may serve others; only the default one is ours to end.
      if (options.store === undefined) await store.close?.()
    },
  }
}

function chooseStore({ store }: OtpOptions, now: () => number): NonNullable<OtpOptions['store']> {
  if (store === undefined) {
    if (process.env.NODE_ENV === 'production') {
      const warning =
        'codes and limits live in the memory of this process: with a second process, set `store` to a RedisStore or PostgresStore.'
      process.emitWarning(warning, { type: 'ExpressEmailOtpWarning', code: 'OTP_MEMORY_STORE' })
    }
    return new MemoryStore({ now })
  }
  for (const act of ['open', 'redeem', 'spend'] as const) {
    if (typeof (store as Partial<typeof store> | null)?.[act] === 'function') continue
    throw invalidOption('store', store, `It lacks ${act}(); give an OtpStore, such as new MemoryStore().`)
  }
  if (store.deadline !== undefined) seconds('store.deadline', store.deadline, 60, 0.1)
  return store
}

async function statusOf({ settings }: Parts, req: OtpRequest): Promise<OtpStatus> {
  const holder = (await whoIs(settings, req))?.holder ?? null
  const isFresh = (purpose: string, details: string | null): boolean =>
    freshGrant(req, { purpose, details }, holder, settings.grantMaxAge, settings.now()) !== null
  const newest = freshGrant(req, { purpose: 'access', details: null }, holder, settings.grantMaxAge, settings.now())
  const purposes = grantsOf(req).filter((grant) => isFresh(grant.purpose, grant.details))
  return {
    verified: newest !== null,
    email: newest?.holder.email ?? null,
    verifiedAt: newest ? new Date(newest.at) : null,
    purposes: [...new Set(purposes.map((grant) => grant.purpose))],
  }
}
