import type { OtpEvents } from './events.js'
import type { Mailer } from './mail/delivery.js'
import type { Fates } from './mail/fates.js'
import type { MailSettings } from './mail/transport.js'
import type { Settings } from './settings.js'
import type { OtpStore } from './stores/store.js'
import type { Views } from './views.js'

/** Everything that a request works with, made once. */
export interface Parts {
  readonly settings: Settings
  readonly store: OtpStore
  readonly views: Views
  readonly mail: MailSettings
  readonly mailer: Mailer
  readonly fates: Fates
  readonly events: OtpEvents
}
