/** How a mail ended: taken by the server, refused because of its mailbox, or not sent for any other reason. */
export type Delivery =
  | { readonly outcome: 'accepted' }
  /** `reason` names nodemailer's code, the SMTP command and the reply code; never the server's words, which may
   * repeat the address. */
  | { readonly outcome: 'refused' | 'unavailable'; readonly reason: string }

/**
 * Reads nodemailer's error. `refused` is about the mailbox and nothing else: a permanent answer to RCPT TO
 * (RFC 5321 4.2.1), or a full mailbox. Everything that the person at the keyboard cannot mend is `unavailable`.
 */
export function classifyFailure(error: unknown): Delivery {
  const {
    code: name,
    command,
    responseCode,
    rejectedErrors,
  } = (error ?? {}) as {
    code?: unknown
    command?: unknown
    responseCode?: unknown
    rejectedErrors?: unknown
  }
  const first: unknown = Array.isArray(rejectedErrors) ? rejectedErrors[0] : null
  if (typeof first === 'object' && first !== null && first !== error) return classifyFailure(first)
  const code = typeof responseCode === 'number' ? responseCode : 0
  // 530 asks for a login and 554 may mean the whole session; both say nothing about the mailbox.
  const isMailbox = (code >= 550 && code <= 553) || code === 452
  const reason = [name, command, responseCode].filter((part) => /^(string|number)$/.test(typeof part)).join(' ')
  return { outcome: command === 'RCPT TO' && isMailbox ? 'refused' : 'unavailable', reason }
}
