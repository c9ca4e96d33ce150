import type { DevInbox, InboxMail } from './dev-inbox.js'
import { arrivedValues, type ScreenFrame } from './preview-screen.js'

/** The values of the screen that shows a received mail, and beside it the list of all. */
export function inboxScreen(frame: ScreenFrame, inbox: DevInbox, shown: InboxMail | null): object {
  const urlOf = ({ id }: InboxMail): string => `${frame.base}/inbox/${id}`
  const mails = inbox.mails.map((mail) => ({
    href: urlOf(mail),
    to: mail.to.join(', '),
    subject: mail.email.subject ?? '',
    time: mail.at.toLocaleTimeString('en-GB'),
    iso: mail.at.toISOString(),
    isCurrent: mail.id === shown?.id,
  }))
  return {
    ...frame,
    kind: 'inbox',
    title: shown?.email.subject ?? 'Inbox',
    isInbox: true,
    isEmpty: shown === null,
    isOneMail: mails.length === 1,
    mails,
    failure: null,
    ...(shown && { ...arrivedValues(shown), frameUrl: `${urlOf(shown)}/frame`, emlUrl: `${urlOf(shown)}/mail.eml` }),
  }
}
