export { type EmailOtp, emailOtp, type OtpStatus } from './email-otp.js'
export type {
  CodeOptions,
  LimitOptions,
  MailJob,
  MailTransporter,
  OtpOptions,
  SmtpOptions,
  Verification,
} from './options.js'
export type { GuardOptions } from './guard-options.js'
export type { Started, StartOptions } from './start.js'
export type { OtpUser } from './person.js'
export type { OtpHandler, OtpRequest, OtpResponse } from './http.js'
export { OtpError, type OtpErrorCode } from './errors.js'
export type { MailTry, OtpEvent, OtpEventMap, OtpEvents, Published, Undelivered } from './events.js'
export type { FailureClass } from './mail/failure.js'
export type { Severity } from './mail/advice.js'
export type { MailHealth } from './mail/health.js'
export type { BreakerState } from './mail/breaker.js'
export type { JobOutcome } from './job.js'
export type { ProblemCode } from './problem.js'
export type { Limit } from './bucket.js'
export type { MailContext, PageContext } from './view-context.js'
export { MemoryStore } from './stores/memory.js'
export { PostgresStore, type PostgresStoreOptions } from './stores/postgres.js'
export { RedisStore, type RedisStoreOptions } from './stores/redis.js'
export type {
  Attempt,
  BucketRequest,
  Candidate,
  OpenOutcome,
  OpenRequest,
  OtpStore,
  RedeemOutcome,
  SpendOutcome,
} from './stores/store.js'
