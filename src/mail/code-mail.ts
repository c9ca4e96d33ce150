import { maskAddress } from '../address.js'
import { type CodeKind, displayCode } from '../code.js'
import type { Keys } from '../keys.js'
import type { Person } from '../person.js'
import type { Settings } from '../settings.js'
import type { StepUp } from '../step-up.js'
import { emptyMail, type MailContext } from '../view-context.js'
import type { Views } from '../views.js'
import { duration, timeOfDay } from '../words.js'
import { boundLine, buildMessage, type Composed } from './message.js'
import type { MailSettings } from './transport.js'

/** One code, and to whom and for what it is mailed. */
export interface CodeMail {
  readonly person: Person
  readonly stepUp: StepUp
  readonly challenge: string
  readonly kind: CodeKind
  readonly code: string
  readonly tag: string
  readonly locale: string
  /** Milliseconds. */
  readonly expires: number
}

/** What mails are made with. */
export interface MailRoom {
  readonly settings: Settings
  readonly views: Views
  readonly mail: MailSettings
}

/** Renders the mail of a code and makes nodemailer's message of it. */
export function codeMail(
  { settings, views, mail }: MailRoom,
  keys: Keys,
  { person, stepUp, challenge, kind, code, tag, locale, expires }: CodeMail,
): Composed {
  const { origin } = settings.site
  const at = settings.now()
  const lifetime = (expires - at) / 1000
  const context: MailContext = {
    ...emptyMail(settings, locale),
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? views.words(locale)[`purpose.${stepUp.purpose}`] ?? '',
    recipient: { masked: maskAddress(person.address.address) },
    code: displayCode(code, kind),
    codeInSubject: settings.codeInSubject === 'always' || (settings.codeInSubject === 'auto' && person.user === null),
    expires: {
      minutes: Math.max(1, Math.ceil(lifetime / 60)),
      in: duration(locale, lifetime),
      at: timeOfDay(locale, expires),
      iso: new Date(expires).toISOString(),
    },
    request: { tag, at: timeOfDay(locale, at) },
    boundLine: boundLine(origin, code),
  }
  const composed = buildMessage(mail, keys, views.mail(stepUp.purpose, context), {
    to: person.address,
    id: [challenge, kind],
    code,
    origin,
    at,
  })
  return { ...composed, secrets: [...composed.secrets, context.code] }
}
