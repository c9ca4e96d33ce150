import type { StepUp } from '../challenge/step-up.js'
import type { MailSettings } from '../config/mail-settings.js'
import type { Settings } from '../config/settings.js'
import { type CodeKind, displayCode } from '../crypto/code.js'
import type { Keys } from '../crypto/keys.js'
import { maskAddress } from '../identity/address.js'
import type { Identity } from '../identity/user.js'
import { boundLine, buildMessage, type ComposedMessage } from './message.js'
import { baseMailContext, type MailContext } from '../views/context.js'
import { duration, timeOfDay } from '../views/messages.js'
import type { Renderer } from '../views/renderer.js'

/** One code, and to whom and for what it is mailed. */
export interface CodeMailInput {
  readonly identity: Identity
  readonly stepUp: Pick<StepUp, 'purpose' | 'description'>
  readonly challengeId: string
  readonly kind: CodeKind
  readonly code: string
  readonly tag: string
  readonly locale: string
  /** Milliseconds. */
  readonly expires: number
}

/** What mails are made with. */
export interface ComposeDeps {
  readonly settings: Settings
  readonly views: Renderer
  readonly mailSettings: MailSettings
}

/** Renders the mail of a code and makes nodemailer's message of it. */
export function codeMail(
  { settings, views, mailSettings }: ComposeDeps,
  keys: Keys,
  { identity, stepUp, challengeId, kind, code, tag, locale, expires }: CodeMailInput,
): ComposedMessage {
  const { origin } = settings.site
  const at = settings.now()
  const lifetime = (expires - at) / 1000
  const context: MailContext = {
    ...baseMailContext(settings, locale),
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? views.messages(locale)[`purpose.${stepUp.purpose}`] ?? '',
    recipient: { masked: maskAddress(identity.address.address) },
    code: displayCode(code, kind),
    codeInSubject: settings.codeInSubject === 'always' || (settings.codeInSubject === 'auto' && identity.user === null),
    expires: {
      minutes: Math.max(1, Math.ceil(lifetime / 60)),
      in: duration(locale, lifetime),
      at: timeOfDay(locale, expires),
      iso: new Date(expires).toISOString(),
    },
    request: { tag, at: timeOfDay(locale, at) },
    boundLine: boundLine(origin, code),
  }
  const composed = buildMessage(mailSettings, keys, views.renderMail(stepUp.purpose, context), {
    to: identity.address,
    id: [challengeId, kind],
    code,
    origin,
    at,
  })
  return { ...composed, secrets: [...composed.secrets, context.code] }
}
