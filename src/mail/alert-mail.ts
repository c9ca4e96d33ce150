import { maskAddress } from '../address.js'
import type { Keys } from '../keys.js'
import type { Person } from '../person.js'
import { emptyMail } from '../view-context.js'
import { timeOfDay } from '../words.js'
import type { MailRoom } from './code-mail.js'
import { buildMessage, type Composed } from './message.js'

/** Tells an owner that somebody who is signed in as them types wrong codes. */
export interface AlertMail {
  /** Names the mail; its Message-ID is made of it. */
  readonly id: string
  readonly person: Person
  readonly locale: string
  /** Milliseconds. */
  readonly at: number
}

/** Renders it and makes nodemailer's message of it. There is no code in it, and no link. */
export function alertMail({ settings, views, mail }: MailRoom, keys: Keys, alert: AlertMail): Composed {
  const { id, person, locale, at } = alert
  const context = {
    ...emptyMail(settings, locale),
    recipient: { masked: maskAddress(person.address.address) },
    request: { tag: '', at: timeOfDay(locale, at) },
  }
  return buildMessage(mail, keys, views.mail('alert', context), {
    to: person.address,
    id: ['alert', id],
    code: null,
    origin: null,
    at,
  })
}
