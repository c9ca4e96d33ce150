export type { CheckResult } from './http/guard/check.js'
export { type EmailOtp, emailOtp } from './email-otp.js'
export type { OtpStatus } from './http/session-status.js'
export type {
  CodeOptions,
  LimitOptions,
  MailJob,
  MailTransporter,
  OtpOptions,
  SmtpOptions,
  TemplateHelper,
  Verification,
} from './config/options.js'
export type { BrandOptions } from './config/brand.js'
export type { LogoOptions } from './config/logo.js'
export type { GuardOptions } from './config/guard-options.js'
export type { ForgetOptions } from './http/forget.js'
export type { StartResult, StartOptions } from './http/start.js'
export type { OtpUser } from './identity/user.js'
export type { OtpHandler, OtpRequest, OtpResponse, RenderingResponse } from './express-types.js'
export { OtpError, type OtpErrorCode, type ViewIssue } from './errors.js'
export type {
  FailureClass,
  MailAttempt,
  OtpEvent,
  OtpEventMap,
  OtpEvents,
  Published,
  Severity,
  Undelivered,
} from './events.js'
export type { MailHealth } from './delivery/queue/send-queue.js'
export type { BreakerState } from './delivery/queue/circuit-breaker.js'
export type { JobOutcome } from './delivery/mail-job.js'
export type { ProblemCode, ProblemDetails } from './http/response/problem.js'
export type { Limit } from './stores/gcra.js'
export type { PageContext, RenderedPage } from './config/page.js'
export type { MailContext, MailRecipient, MailTexts } from './config/mail.js'
export { MemoryStore, type MemoryStoreOptions } from './stores/memory/memory-store.js'
export { PostgresStore, type PostgresStoreOptions } from './stores/postgres/postgres-store.js'
export { RedisStore, type RedisStoreOptions } from './stores/redis/redis-store.js'
export type {
  Attempt,
  BucketRequest,
  Candidate,
  ExtraBucket,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  RedeemOutcome,
  SpendOutcome,
} from './stores/store.js'
