import type { Keys } from '../crypto/keys.js'
import { maskAddress } from '../identity/address.js'
import type { Identity } from '../identity/user.js'
import type { ComposeDeps } from './code-mail.js'
import { buildMessage, type ComposedMessage } from './message.js'
import { baseMailContext } from '../views/context.js'
import { timeOfDay } from '../views/messages.js'

/** Tells an owner that somebody who is signed in as them types wrong codes. */
export interface AlertMailInput {
  /** Names the mail; its Message-ID is made of it. */
  readonly id: string
  readonly identity: Identity
  readonly locale: string
  /** Milliseconds. */
  readonly at: number
}

/** Renders it and makes nodemailer's message of it. There is no code in it, and no link. */
export function alertMail(
  { settings, views, mailSettings }: ComposeDeps,
  keys: Keys,
  alert: AlertMailInput,
): ComposedMessage {
  const { id, identity, locale, at } = alert
  const context = {
    ...baseMailContext(settings, locale),
    recipient: { masked: maskAddress(identity.address.address) },
    request: { tag: '', at: timeOfDay(locale, at) },
  }
  return buildMessage(mailSettings, keys, views.renderMail('alert', context), {
    to: identity.address,
    id: ['alert', id],
    code: null,
    origin: null,
    at,
  })
}
