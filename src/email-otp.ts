import type { GuardOptions } from './config/guard-options.js'
import { resolveMailSettings } from './config/mail-settings.js'
import type { MailJob, OtpOptions } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import { refuseDevelopmentTransport, warnAboutSender } from './config/site.js'
import { resolveStore } from './config/store.js'
import { DeliveryStatusCache } from './delivery/delivery-status.js'
import { deliverJob, type JobOutcome } from './delivery/mail-job.js'
import { type MailHealth, SendQueue } from './delivery/queue/send-queue.js'
import { OtpEvents } from './events.js'
import type { OtpHandler, OtpRequest } from './express-types.js'
import { forget, type ForgetOptions } from './http/forget.js'
import { type Check, createCheck } from './http/guard/check.js'
import { createGuard } from './http/guard/guard.js'
import { createRouter } from './http/router.js'
import { start, type StartOptions, type StartResult } from './http/start.js'
import { type OtpStatus, sessionStatus } from './http/session-status.js'
import { registerServices, type Services } from './services.js'
import { DeviceCookie } from './session/device-cookie.js'
import { TrustedBrowser } from './session/trusted-browser.js'
import { failClosed } from './stores/fail-closed.js'
import { createRenderer } from './views/renderer.js'
import { resolveHelpers } from './views/template-helpers.js'

/** What `emailOtp()` returns. */
export interface EmailOtp {
  /** The pages; mount them at `path`. */
  readonly router: OtpHandler
  /** Makes middleware that keeps a route closed until the session has a matching grant. */
  readonly requireOtp: (options?: GuardOptions) => OtpHandler
  /**
   * The guard as a value, for a framework's own guards, GraphQL and tRPC. A grant bound to details is used up: call it once,
   * right before the act, never to decide whether to show a button. Give the same object of options each time: it is read
   * once.
   */
  readonly check: Check
  /** Mails the code from within a POST of your own. Returns the URL of the page where it is typed. */
  readonly start: (req: OtpRequest, options?: StartOptions) => Promise<StartResult>
  readonly events: OtpEvents
  readonly status: (req: OtpRequest) => Promise<OtpStatus>
  /** Removes the grants of this session, for example at sign-out; with `{ trustedBrowser: true }` also that trust. */
  readonly forget: (req: OtpRequest, options?: ForgetOptions) => void
  /**
   * In a worker: makes one attempt to send the mail of a job that `mail.deliver` got.
   * @throws OtpError `mail_failed` if another attempt may end better, `invalid_job` if the job was altered or cannot be
   * opened
   */
  readonly deliverJob: (job: MailJob) => Promise<JobOutcome>
  /** The state of the send queue, for a health check. */
  readonly health: () => MailHealth
  /** Compiles all templates anew and uses them only if all compile. @throws OtpError `invalid_view` */
  readonly reloadViews: () => void
  /** Accepts no more mail, gives waiting mail a last attempt (10 s at most) and ends timers. */
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
 * @throws OtpError `invalid_option` or `invalid_view`, which name the option or file and what to write instead
 */
export function emailOtp(options: OtpOptions): EmailOtp {
  const services = createServices(options)
  const { store, views, sendQueue, events } = services
  const otp: EmailOtp = {
    router: createRouter(services),
    requireOtp: (guard) => createGuard(services, guard),
    check: createCheck(services),
    start: (req, startOptions) => start(services, req, startOptions),
    events,
    status: (req) => sessionStatus(services, req),
    forget: (req, forgetOptions) => {
      forget(services, req, forgetOptions)
    },
    deliverJob: (job) => deliverJob(services, job),
    health: sendQueue.health,
    reloadViews: views.reload,
    async close() {
      await sendQueue.close()
      // A store that the host made may serve others. Only the default one is ours to close.
      if (options.store === undefined) await store.close?.()
    },
  }
  return registerServices(otp, services)
}

function createServices(options: OtpOptions): Services {
  const settings = resolveSettings(options)
  const mailSettings = resolveMailSettings(options.mail)
  warnAboutSender(settings.site, mailSettings.from)
  refuseDevelopmentTransport(settings.site, mailSettings.transporter)
  const views = createRenderer(settings.viewFolders, settings.locale, {
    ...settings,
    hasMailLocals: mailSettings.locals !== null,
    helpers: resolveHelpers(options.helpers),
  })
  const events = new OtpEvents(settings.now)
  const store = failClosed(resolveStore(options), settings.clock)
  const sendQueue = new SendQueue(
    mailSettings,
    settings.clock,
    (outcome, failure, seconds) => {
      events.publish({ type: 'breaker', outcome, failureClass: failure?.failureClass ?? null, seconds })
    },
    { hasUsers: settings.user !== null },
  )
  const deliveryStatus = new DeliveryStatusCache(settings.clock, settings.lifetime)
  const deviceCookie = new DeviceCookie(settings)
  const trustedBrowser = new TrustedBrowser(settings)
  const cookies = { deviceCookie, trustedBrowser }
  return Object.freeze({ settings, store, views, mailSettings, sendQueue, deliveryStatus, ...cookies, events })
}
