/** What the headers of a mail are for, one line each. */
const NOTES: Readonly<Record<string, string>> = {
  from: 'Who the reader sees as the sender. Its domain must pass SPF or DKIM.',
  to: 'The one recipient: a code never goes to two.',
  'reply-to': 'Where answers go, from `mail.replyTo`.',
  subject: 'Shows the code only if `code.subject` says so: a lock screen shows it to everybody.',
  date: 'The time of the send, the same for all its attempts.',
  'message-id': 'One per send, on the domain of `from`; retries share it, so a mailbox drops the second copy.',
  references: 'A parent that no other mail has, so that Gmail makes no thread and hides no newer code.',
  'x-entity-ref-id': 'Keeps apps of Google that do not read References from grouping codes.',
  'auto-submitted': 'Says that a program sent this, so that no other program answers (RFC 3834).',
  'x-auto-response-suppress': 'The same for Exchange: no out-of-office replies.',
  'otp-token': 'Offers the code to mail clients and browsers that fill it in, for the origin of the site only.',
  'mime-version': 'The format of the message (RFC 2045).',
  'content-type': 'Text and HTML of the same mail; a client shows the last one that it can.',
  'content-transfer-encoding': 'How the bytes are written, so that each server passes them on.',
}

/** The line for a header; empty for one of the host's. */
export function headerNote(key: string): string {
  return NOTES[key] ?? ''
}
