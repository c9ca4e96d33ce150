import { maskAddress } from '../identity/address.js'
import type { AlertMailRequest } from './mail-request.js'
import { buildMessage, type ComposeDeps, type ComposedMail } from './message.js'
import { mailContextFor } from '../views/context.js'
import { timeOfDay } from '../views/messages.js'

/** Warns a user that someone signed in as them typed wrong codes. Contains no code and no link. */
export function composeAlertMail(deps: ComposeDeps, mailRequest: AlertMailRequest, id: string): ComposedMail {
  const { settings, views } = deps
  const { identity, locale, at } = mailRequest
  const context = {
    ...mailContextFor(settings.site, locale),
    recipient: { masked: maskAddress(identity.address.address) },
    request: { tag: '', at: timeOfDay(locale, at) },
  }
  const rendered = views.renderMail('alert', context)
  return buildMessage(deps, rendered, { to: identity.address, id: `alert ${id}`, code: null, at })
}
