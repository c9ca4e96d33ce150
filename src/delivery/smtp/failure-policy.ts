import type { FailureClass } from './classify.js'

export type Severity = 'info' | 'warning' | 'error'

/** What a failure means to whoever runs the app: `error` wants a hand, `warning` an eye, `info` neither. */
interface Advice {
  readonly severity: Severity
  readonly advice: string
}

/** By class. The texts name what to look at, and nothing of the mail. */
export const ADVICE: Readonly<Record<FailureClass, Advice>> = {
  aborted: {
    severity: 'warning',
    advice: 'The mail server took longer than 20 seconds. Look at its load and its log.',
  },
  config: { severity: 'error', advice: 'The transport cannot work as it is set up. Look at `mail.transport`.' },
  tls: {
    severity: 'error',
    advice:
      'No encrypted connection: the server offers no STARTTLS, or its certificate is not trusted. Name the host that the ' +
      'certificate names, give `mail.transport.tls.ca`, or use smtps:// on port 465.',
  },
  auth: {
    severity: 'error',
    advice: 'The mail server refused the login. Look at user and password of `mail.transport`.',
  },
  quota: {
    severity: 'warning',
    advice: 'A sending limit at your mail provider is used up. Set `mail.rate`, or raise it there.',
  },
  sender: {
    severity: 'error',
    advice: 'The mail server does not let you send as `mail.from`. Verify that address there.',
  },
  content: {
    severity: 'error',
    advice: 'The mail server refused the message itself. Look at your templates of this view.',
  },
  'mailbox-full': { severity: 'info', advice: 'The mailbox has no room. Nothing to do here.' },
  recipient: { severity: 'info', advice: 'There is no such mailbox, or it refuses you. Nothing to do here.' },
  greylist: { severity: 'info', advice: 'The server asks to be tried again later, which is done.' },
  connect: {
    severity: 'warning',
    advice:
      'The mail server could not be reached or hung up. Look at host and port of `mail.transport`, and at the network.',
  },
  blocked: {
    severity: 'error',
    advice: 'The mail server refuses this machine. Look whether its address is on a blocklist.',
  },
  transient: { severity: 'info', advice: 'The server could not take it at the moment; it is tried again.' },
  unknown: { severity: 'error', advice: 'It failed in a way that is not known here. Look at `reason` and `text`.' },
}
