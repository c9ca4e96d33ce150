import type { MailSettings } from './config/mail-settings.js'
import type { Settings } from './config/settings.js'
import type { Fates } from './delivery/delivery-status.js'
import type { Mailer } from './delivery/queue/send-queue.js'
import type { OtpEvents } from './events.js'
import type { OtpStore } from './stores/store.js'
import type { Renderer } from './views/renderer.js'

/** Everything that a request works with, made once. */
export interface Services {
  readonly settings: Settings
  readonly store: OtpStore
  readonly views: Renderer
  readonly mailSettings: MailSettings
  readonly sendQueue: Mailer
  readonly deliveryStatus: Fates
  readonly events: OtpEvents
}
