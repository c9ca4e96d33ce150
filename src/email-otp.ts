import type { GuardOptions } from './config/guard-options.js'
import { resolveMailSettings } from './config/mail-settings.js'
import type { MailJob, OtpOptions } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import { DeliveryStatusCache } from './delivery/delivery-status.js'
import { deliverJob, type JobOutcome } from './delivery/mail-job.js'
import { type MailHealth, SendQueue } from './delivery/queue/send-queue.js'
import { OtpEvents } from './events.js'
import type { OtpHandler, OtpRequest } from './express-types.js'
import { createGuard } from './http/guard.js'
import { createRouter } from './http/router.js'
import { start, type StartOptions, type StartResult } from './http/start.js'
import { resolveIdentity } from './identity/resolve-user.js'
import type { Services } from './services.js'
import { clearGrants, findValidGrant, grantsOf } from './session/challenges.js'
import { failClosed } from './stores/fail-closed.js'
import { MemoryStore } from './stores/memory/memory-store.js'
import { invalidOption, seconds } from './validate.js'
import { createRenderer } from './views/renderer.js'

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
  readonly start: (req: OtpRequest, options?: StartOptions) => Promise<StartResult>
  readonly events: OtpEvents
  readonly status: (req: OtpRequest) => Promise<OtpStatus>
  /** Drops the grants of this session: at sign-out, say. */
  readonly forget: (req: OtpRequest) => void
  /**
   * In a worker: sends the mail of a job that `mail.deliver` was given, in one try.
   * @throws OtpError `mail_failed` when the job is worth another try, `invalid_job` when it was altered
   */
  readonly deliverJob: (job: MailJob) => Promise<JobOutcome>
  /** State of the send queue, for a health check of yours. */
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
  const mailSettings = resolveMailSettings(options.mail)
  const views = createRenderer(settings.viewFolders, settings.locale)
  const events = new OtpEvents(settings.now)
  const store = failClosed(chooseStore(options), settings.clock)
  const sendQueue = new SendQueue(
    mailSettings,
    settings.clock,
    (outcome, failure, seconds) => {
      events.publish({ type: 'breaker', outcome, failureClass: failure?.failureClass ?? null, seconds })
    },
    settings.user ? Math.max(1, mailSettings.connections - 1) : mailSettings.connections,
  )
  const services: Services = Object.freeze({
    settings,
    store,
    views,
    mailSettings,
    sendQueue,
    deliveryStatus: new DeliveryStatusCache(settings.clock, settings.lifetime),
    events,
  })

  return {
    router: createRouter(services),
    requireOtp: (guard) => createGuard(services, guard),
    start: (req, options) => start(services, req, options),
    events,
    status: (req) => sessionStatus(services, req),
    forget: clearGrants,
    deliverJob: (job) => deliverJob(services, job),
    health: sendQueue.health,
    reloadViews: views.reload,
    async close() {
      await services.sendQueue.close()
      // A store that the host made may serve others; only the default one is ours to end.
      if (options.store === undefined) await store.close?.()
    },
  }
}

function chooseStore({ store, now }: OtpOptions): NonNullable<OtpOptions['store']> {
  if (store === undefined) {
    if (process.env.NODE_ENV === 'production') {
      const warning =
        'codes and limits live in the memory of this process: with a second process, set `store` to a RedisStore or PostgresStore.'
      process.emitWarning(warning, { type: 'ExpressEmailOtpWarning', code: 'OTP_MEMORY_STORE' })
    }
    return new MemoryStore(now === undefined ? {} : { now })
  }
  for (const act of ['open', 'redeem', 'spend'] as const) {
    if (typeof (store as Partial<typeof store> | null)?.[act] === 'function') continue
    throw invalidOption('store', store, `It lacks ${act}(); give an OtpStore, such as new MemoryStore().`)
  }
  if (store.deadline !== undefined) seconds('store.deadline', store.deadline, 60, 0.1)
  return store
}

async function sessionStatus({ settings }: Services, req: OtpRequest): Promise<OtpStatus> {
  const ref = (await resolveIdentity(settings.user, req))?.ref ?? null
  const isFresh = (purpose: string, details: string | null): boolean =>
    findValidGrant(req, { purpose, details }, ref, settings.grantMaxAge, settings.now()) !== null
  const newest = findValidGrant(req, { purpose: 'access', details: null }, ref, settings.grantMaxAge, settings.now())
  const purposes = grantsOf(req).filter((grant) => isFresh(grant.purpose, grant.details))
  return {
    verified: newest !== null,
    email: newest?.identity.email ?? null,
    verifiedAt: newest ? new Date(newest.at) : null,
    purposes: [...new Set(purposes.map((grant) => grant.purpose))],
  }
}
