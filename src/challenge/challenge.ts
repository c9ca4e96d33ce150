import { findChallengeKeys, findKeys } from './challenge-keys.js'
import { eventContext } from './event-context.js'
import type { OpenChallenge } from './records.js'
import type { Binding, StepUp } from './step-up.js'
import { storeKey } from './store-key.js'
import type { Settings } from '../config/settings.js'
import { type CodeInputs, type CodeKind, deriveCode, digestCode, formatOf, normaliseCode } from '../crypto/code.js'
import { unkeyedHash } from '../crypto/keys.js'
import { randomId } from '../crypto/random.js'
import type { OtpEvents } from '../events.js'
import type { Identity, IdentityRef } from '../identity/user.js'
import type { Candidate, OpenOutcome, OpenRequest, OtpStore, RedeemOutcome } from '../stores/store.js'

/** What issuing, verifying and refunding need. */
export interface ChallengeDeps {
  readonly settings: Settings
  readonly store: OtpStore
  readonly events: OtpEvents
}

/** The buckets of a send, beside those of the challenge. */
export type SendBuckets = Required<Pick<OpenRequest, 'sends' | 'extraBuckets'>>

/** The name of the bucket for all mails to a typed address. */
export const ADDRESS_BUCKET = 'address'

/** Who asks for a code, and what for. */
export interface IssueRequest {
  readonly identity: Identity
  readonly stepUp: StepUp
  /** The open challenge in the session, if any. */
  readonly existing: OpenChallenge | null
  readonly locale: string
  /** The buckets that this send takes a permit from. */
  readonly buckets: SendBuckets
  /** False for an address that the host does not accept: then no code redeems the challenge. */
  readonly isDeliverable?: boolean
}

/** The code is not in it: it is derived when the mail is composed. */
export type IssueOutcome =
  { readonly outcome: 'opened'; readonly challenge: OpenChallenge } | Extract<OpenOutcome, { outcome: 'throttled' }>

const THROTTLED_BY: Readonly<Record<string, 'sendsPerUser' | 'sendsPerAddress'>> = {
  sends: 'sendsPerUser',
  [ADDRESS_BUCKET]: 'sendsPerAddress',
  [`${ADDRESS_BUCKET}:browsers`]: 'sendsPerAddress',
}

/** Opens a challenge for a step-up, or the existing one again, in one store call. */
export async function issueChallenge(
  { settings, store, events }: ChallengeDeps,
  { identity, stepUp, existing, locale, buckets, isDeliverable = true }: IssueRequest,
): Promise<IssueOutcome> {
  const keys = settings.keys.current
  const candidate = (id: string): Candidate => {
    // If the code is not mailed, no guess may redeem the challenge: its digests are made from an id that nobody has.
    const digestId = isDeliverable ? id : randomId()
    const inputs = codeInputs(digestId, identity.ref, stepUp)
    const digest = (kind: CodeKind): string => {
      const format = formatOf({ kind, identity: identity.ref }, settings.code)
      return digestCode(keys, inputs, deriveCode(keys, inputs, kind, format))
    }
    return { id, short: digest('short'), long: digest('long') }
  }
  const { limits, lifetime, attempts, now } = settings
  const opened = await store.open({
    user: storeKey(keys, identity.ref),
    existing: existing && findChallengeKeys(settings, existing) === keys ? candidate(existing.id) : null,
    fresh: candidate(randomId()),
    lifetime,
    attempts,
    ...buckets,
    resend: limits.resend,
    failures: limits.failures,
    isAnonymous: identity.user === null,
  })
  if (opened.outcome === 'throttled') {
    const outcome = THROTTLED_BY[opened.bucket] ?? 'resendAfter'
    events.publish({ type: 'throttled', ...eventContext(identity, stepUp, existing), outcome })
    return opened
  }
  const { id, kind, repeated, expiresIn } = opened
  const before = repeated ? existing : null
  const challenge: OpenChallenge = {
    id,
    secret: keys.fingerprint,
    kind,
    purpose: stepUp.purpose,
    details: stepUp.details,
    tag: tagOf(id),
    locale: before?.locale ?? locale,
    identity: identity.ref,
    expires: now() + expiresIn * 1000,
    sentAt: now(),
    sendId: randomId(6),
    delivery: 'queued',
    wasMailed: before?.kind === kind && before.wasMailed,
    isUsedUp: false,
  }
  const outcome = repeated ? 'resent' : 'created'
  events.publish({ type: 'issued', ...eventContext(identity, stepUp, challenge), outcome })
  return { outcome: 'opened', challenge }
}

type ChallengeSource = Pick<OpenChallenge, 'id' | 'kind' | 'secret' | 'identity' | 'purpose' | 'details'>

/** Derives the code of a challenge again, with the keys that made it; null if their secret is no longer configured. */
export function deriveChallengeCode(settings: Settings, challenge: ChallengeSource): string | null {
  const { id, kind, secret, identity } = challenge
  const keys = findKeys(settings, secret)
  return keys && deriveCode(keys, codeInputs(id, identity, challenge), kind, formatOf(challenge, settings.code))
}

/**
 * Redeems a typed code in one store call, which counts and compares. The digest is made from the current identity,
 * purpose and details, so a code for another user, action or amount cannot match. `malformed` is not counted.
 */
export async function verifyChallenge(
  { settings, store, events }: ChallengeDeps,
  identity: Identity,
  stepUp: StepUp,
  challenge: OpenChallenge,
  typed: string,
): Promise<RedeemOutcome | { readonly outcome: 'malformed' }> {
  const keys = findChallengeKeys(settings, challenge)
  if (!keys) return { outcome: 'not_found' }
  const { id, kind } = challenge
  const code = normaliseCode(typed, kind, formatOf(challenge, settings.code))
  if (code === null) return { outcome: 'malformed' }
  const digest = digestCode(keys, codeInputs(id, identity.ref, stepUp), code)
  const user = storeKey(keys, identity.ref)
  const redeemed = await store.redeem({
    ...{ user, id, kind, digest },
    failures: settings.limits.failures,
    isAnonymous: identity.user === null,
  })
  const context = eventContext(identity, stepUp, challenge)
  if (redeemed.outcome === 'redeemed') return redeemed
  events.publish({ type: 'rejected', ...context, outcome: redeemed.outcome })
  if (redeemed.outcome === 'mismatch' && redeemed.escalated) {
    events.publish({ type: 'escalated', ...context, outcome: 'long_code_required' })
  }
  return redeemed
}

function codeInputs(challengeId: string, ref: IdentityRef, { purpose, details }: Binding): CodeInputs {
  const user = JSON.stringify([ref.type, ref.id, ref.email, ref.version])
  return { challengeId, user, purpose, details }
}

// Consonants only, so that they spell no word; letters, so that mail programs do not take them for the code.
function tagOf(id: string): string {
  const letters = 'BCDFGHJKLMNPQRSTVWXZ'
  const bytes = Buffer.from(unkeyedHash(id), 'base64url').subarray(0, 3)
  return Array.from(bytes, (byte) => letters.charAt(byte % 20)).join('')
}
