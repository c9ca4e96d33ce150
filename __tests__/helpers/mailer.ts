import { type MailSettings, resolveMailSettings } from '../../src/config/mail-settings.js'
import { createMailer, type Mailer } from '../../src/delivery/queue/send-queue.js'
import type { SendResult } from '../../src/delivery/smtp/classify.js'
import type { OtpOptions } from '../../src/index.js'

type Mail = Partial<OtpOptions['mail']> & Pick<OtpOptions['mail'], 'transport'>

/** The part of the plugin that hands mails over, by itself. */
export function mailerOf(mail: Mail | MailSettings, now: () => number = Date.now, forOthers?: number): Mailer {
  const settings = 'transporter' in mail ? mail : resolveMailSettings({ from: 'Acme <no-reply@acme.example>', ...mail })
  return createMailer(settings, now, () => undefined, forOthers)
}

/** One try at one message. */
export function tryOnce(mailer: Mailer, message: object, address: string): Promise<SendResult> {
  return mailer.tryOnce({ message: { ...message }, address, secrets: [] }, true)
}
