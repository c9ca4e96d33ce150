import type { MailSettings } from './config/mail-settings.js'
import type { Settings } from './config/settings.js'
import type { DeliveryStatusCache } from './delivery/delivery-status.js'
import type { SendQueue } from './delivery/queue/send-queue.js'
import { OtpError } from './errors.js'
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

const servicesByPlugin = new WeakMap<object, Services>()

/** Lets the entry points beside the main one see inside of a plugin that the host has made. */
export function registerServices<T extends object>(otp: T, services: Services): T {
  servicesByPlugin.set(otp, services)
  return otp
}

/** @throws OtpError `invalid_option` if it is not what `emailOtp()` of this package returned */
export function servicesOf(caller: string, otp: object): Services {
  const services = servicesByPlugin.get(otp)
  if (services) return services
  throw new OtpError('invalid_option', `${caller}: option \`otp\` is not a plugin. Give what emailOtp() returned.`)
}
