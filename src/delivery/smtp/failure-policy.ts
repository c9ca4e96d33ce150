import type { SmtpStage } from './parse-error.js'
import type { FailureClass, Severity } from '../../events.js'

/** For the operator: what to check. Contains nothing of the mail. */
export interface Advice {
  readonly severity: Severity
  readonly advice: string
}

/** What follows from one failure class. */
export interface FailurePolicy extends Advice {
  /** `refused`: by the mailbox. `unavailable`: for any other reason. */
  readonly outcome: 'refused' | 'unavailable'
  /** Whether another attempt can end differently. */
  readonly retry: 'never' | 'once' | 'ifTransient' | 'unlessDaily' | 'always'
  /**
   * Effect on the circuit breaker of a failure about all mail: `counts` towards opening it; `resets` the count, because
   * the server works. `opensIfPermanent` ignores a transient failure. `opensIfDaily` resets after a short-term limit.
   * A reply about one recipient always resets.
   */
  readonly breaker: 'counts' | 'opensIfPermanent' | 'opensIfDaily' | 'resets' | 'ignored'
  /** The stages at which it is about all mail. At the others it may be about one recipient. */
  readonly aboutAllAt: readonly SmtpStage[]
  /**
   * When it is about all mail at the other stages. `threeDomains`: when the recipients' domains of three mails get it
   * within a minute, since a relay may quote one recipient's server. `signedIn`: if the mail is to a signed-in user,
   * since anybody can type the address of a slow server. Never, if it is missing.
   */
  readonly aboutAllElsewhere?: 'threeDomains' | 'signedIn'
  /** The advice after the last attempt, if it differs. */
  readonly whenGivenUp?: Advice
}

const BEFORE_RECIPIENT = ['connection', 'MAIL FROM'] as const

const GIVEN_UP: Advice = {
  severity: 'warning',
  advice: 'The server deferred the mail until it was too late to send it.',
}

/** Everything that follows from a failure class. A test compares the table in the documentation with it. */
export const FAILURE_POLICY: Readonly<Record<FailureClass, FailurePolicy>> = {
  connect: {
    ...{ outcome: 'unavailable', retry: 'always', breaker: 'counts', severity: 'warning' },
    ...{ aboutAllAt: ['connection'], aboutAllElsewhere: 'signedIn' },
    advice:
      'The mail server could not be reached or hung up. Check host and port of `mail.transport`, and the network.',
  },
  tls: {
    // 454: "TLS not available due to temporary reason" (RFC 3207 4); never in clear text
    ...{ outcome: 'unavailable', retry: 'ifTransient', breaker: 'counts', severity: 'error' },
    aboutAllAt: ['connection'],
    advice:
      'No encrypted connection: the server offers no STARTTLS, or its certificate is not trusted. Use the host name of ' +
      'the certificate, give `mail.transport.tls.ca`, or use smtps:// on port 465.',
  },
  blocked: {
    ...{ outcome: 'unavailable', retry: 'never', breaker: 'counts', severity: 'error' },
    aboutAllAt: ['connection'],
    advice: 'The mail server refuses this machine. Check whether its address is on a blocklist.',
  },
  auth: {
    // 454 4.7.0: the server could not check the password (RFC 4954 6)
    // more logins with a wrong password would lock the account
    ...{ outcome: 'unavailable', retry: 'ifTransient', breaker: 'opensIfPermanent', severity: 'error' },
    ...{ aboutAllAt: BEFORE_RECIPIENT, aboutAllElsewhere: 'threeDomains' },
    advice: 'The mail server refused the login. Check user and password of `mail.transport`.',
  },
  quota: {
    ...{ outcome: 'unavailable', retry: 'unlessDaily', breaker: 'opensIfDaily', severity: 'warning' },
    ...{ aboutAllAt: BEFORE_RECIPIENT, aboutAllElsewhere: 'threeDomains' },
    advice: 'A sending limit at your mail provider is used up. Set `mail.rate`, or raise it there.',
  },
  sender: {
    ...{ outcome: 'unavailable', retry: 'never', breaker: 'resets', severity: 'error' },
    aboutAllAt: [],
    advice: 'The mail server does not let you send as `mail.from`. Verify that address there.',
  },
  content: {
    ...{ outcome: 'unavailable', retry: 'never', breaker: 'resets', severity: 'error' },
    aboutAllAt: [],
    advice: 'The mail server refused the message itself. Check the templates of this view.',
  },
  config: {
    ...{ outcome: 'unavailable', retry: 'never', breaker: 'ignored', severity: 'error' },
    aboutAllAt: ['connection'],
    advice: 'The transport cannot work as it is configured. Check `mail.transport`.',
  },
  recipient: {
    ...{ outcome: 'refused', retry: 'never', breaker: 'resets', severity: 'info' },
    aboutAllAt: [],
    advice: 'There is no such mailbox, or it refuses you. Nothing to do here.',
  },
  'mailbox-full': {
    ...{ outcome: 'refused', retry: 'ifTransient', breaker: 'resets', severity: 'info' },
    aboutAllAt: [],
    advice: 'The mailbox has no room. Nothing to do here.',
  },
  greylist: {
    ...{ outcome: 'unavailable', retry: 'always', breaker: 'resets', severity: 'info' },
    aboutAllAt: [],
    advice: 'The server asks for another attempt later. It is made automatically.',
    whenGivenUp: GIVEN_UP,
  },
  transient: {
    ...{ outcome: 'unavailable', retry: 'always', breaker: 'resets', severity: 'info' },
    aboutAllAt: [],
    advice: 'The server could not accept the mail at the moment. Another attempt is made automatically.',
    whenGivenUp: GIVEN_UP,
  },
  aborted: {
    ...{ outcome: 'unavailable', retry: 'never', breaker: 'ignored', severity: 'warning' },
    ...{ aboutAllAt: [], aboutAllElsewhere: 'signedIn' },
    advice: 'The mail server took longer than 20 seconds. Check its load and its log.',
  },
  unknown: {
    ...{ outcome: 'unavailable', retry: 'once', breaker: 'ignored', severity: 'error' },
    aboutAllAt: BEFORE_RECIPIENT,
    advice: 'An unknown kind of failure. Read `reason` and `text`.',
  },
}

/** For a cancelled mail. */
export const CANCELLED_ADVICE: Advice = {
  severity: 'info',
  advice: 'The code was used, or a newer one was asked for. Nothing to do here.',
}
