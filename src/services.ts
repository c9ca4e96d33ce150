import type { MailSettings } from './config/mail-settings.js'
import type { Settings } from './config/settings.js'
import type { DeliveryStatusCache } from './delivery/delivery-status.js'
import type { SendQueue } from './delivery/queue/send-queue.js'
import type { OtpEvents } from './events.js'
import type { DeviceCookie } from './session/device-cookie.js'
import type { TrustedBrowser } from './session/trusted-browser.js'
import type { OtpStore } from './stores/store.js'
import type { Renderer } from './views/renderer.js'

/** What `emailOtp()` builds once, for all requests. */
export interface Services {
  readonly settings: Settings
  readonly store: OtpStore
  readonly views: Renderer
  readonly mailSettings: MailSettings
  readonly sendQueue: SendQueue
  readonly deliveryStatus: DeliveryStatusCache
  readonly deviceCookie: DeviceCookie
  readonly trustedBrowser: TrustedBrowser
  readonly events: OtpEvents
}
