import type { CodeFormat, CodeKind } from '../crypto/code.js'
import { OtpError } from '../errors.js'
import { parseAddress } from '../identity/address.js'
import { type Identity, identityFromAddress, identityFromUser, type IdentityRef } from '../identity/user.js'
import type { MailRequest } from '../mail/mail-request.js'
import { recipientName } from '../mail/recipient-name.js'

export const VERSION = 1

/**
 * The sealed part of a job: plain fields, no internal types, since during a deploy the queue holds jobs of two versions.
 * Raise the version when a field changes. The code is never in it.
 */
export interface JobPayload {
  readonly v: number
  readonly type: 'code' | 'alert'
  /** Id of the mail in events, the same for all its send attempts. */
  readonly mailId: string
  /** Milliseconds since the epoch. */
  readonly enqueuedAt: number
  /** The fields that the job also has in the clear, and which must be equal there. */
  readonly address: string
  readonly view: string
  readonly locale: string
  /** Format of short codes at the app, for this type of identity. */
  readonly format: CodeFormat
  readonly identityType: IdentityRef['type']
  readonly identityId: string
  readonly identityVersion: string
  /** Of a user, as mails show it. */
  readonly identityName: string
  readonly purpose: string
  readonly description: string | null
  /** Of an alert: milliseconds since the epoch, when the wrong codes were typed. */
  readonly alertAt: number | null
  readonly challenge: {
    readonly id: string
    readonly secret: string
    readonly kind: CodeKind
    readonly details: string | null
    readonly tag: string
    readonly expires: number
  } | null
}

type JobFields = Pick<JobPayload, 'mailId' | 'enqueuedAt' | 'address' | 'view' | 'locale' | 'format'>

export function toPayload(mailRequest: MailRequest, fields: JobFields): JobPayload {
  const { type, identity, stepUp } = mailRequest
  const common = {
    v: VERSION,
    ...fields,
    format: { alphabet: fields.format.alphabet, length: fields.format.length },
    identityType: identity.ref.type,
    identityId: identity.ref.id,
    identityVersion: identity.ref.version,
    identityName: recipientName(identity.user?.name),
    purpose: stepUp.purpose,
  }
  if (type === 'alert') return { ...common, type, description: null, alertAt: mailRequest.at, challenge: null }
  const { id, secret, kind, details, tag, expires } = mailRequest.challenge
  const challenge = { id, secret, kind, details, tag, expires }
  return { ...common, type, description: mailRequest.stepUp.description, alertAt: null, challenge }
}

/** The mail request of a payload. */
export function toMailRequest(payload: JobPayload): MailRequest {
  const { locale, purpose, description, alertAt, challenge } = payload
  const identity = identityOf(payload)
  if (challenge === null) {
    return { type: 'alert', identity, stepUp: { purpose }, challenge: null, locale, at: alertAt ?? 0 }
  }
  const stepUp = { purpose, description }
  return { type: 'code', identity, stepUp, challenge: { ...challenge, purpose, locale, identity: identity.ref } }
}

function identityOf(payload: JobPayload): Identity {
  const { address, identityType, identityId: id, identityVersion: version, identityName: name } = payload
  if (identityType === 'user') return identityFromUser({ id, email: address, version, name })
  const typed = parseAddress(address)
  if (!typed) throw new OtpError('invalid_job', 'the job holds no address.')
  return identityFromAddress(typed)
}
