import { randomBytes } from 'node:crypto'
import { findChallengeKeys, findKeys } from './challenge-keys.js'
import { eventContext } from './event-context.js'
import type { OpenChallenge } from './records.js'
import type { Binding, StepUp } from './step-up.js'
import { storeKey } from './store-key.js'
import type { Settings } from '../config/settings.js'
import { type CodeInputs, type CodeKind, deriveCode, digestCode, formatOf, normaliseCode } from '../crypto/code.js'
import { type Keys, mac } from '../crypto/keys.js'
import type { OtpEvents } from '../events.js'
import type { Identity, IdentityRef } from '../identity/user.js'
import type { Candidate, OpenOutcome, OtpStore, RedeemOutcome } from '../stores/store.js'

/** What issuing and verifying need. */
export interface ChallengeDeps {
  readonly settings: Settings
  readonly store: OtpStore
  readonly events: OtpEvents
}

/** Who asks for a code, and what for. */
export interface IssueRequest {
  readonly identity: Identity
  readonly stepUp: StepUp
  /** The open challenge in the session, if any. */
  readonly existing: OpenChallenge | null
  readonly locale: string
  /** False for an address that the host does not accept: then no code redeems the challenge. */
  readonly isDeliverable?: boolean
}

/** The code is not in it: it is derived when the mail is composed. */
export type IssueOutcome =
  { readonly outcome: 'opened'; readonly challenge: OpenChallenge } | Extract<OpenOutcome, { outcome: 'throttled' }>

/** Opens a challenge for a step-up, or the existing one again, in one store call. */
export async function issueChallenge(
  { settings, store, events }: ChallengeDeps,
  { identity, stepUp, existing, locale, isDeliverable = true }: IssueRequest,
): Promise<IssueOutcome> {
  const keys = settings.keys.current
  const candidate = (id: string): Candidate => {
    // If the code is not mailed, no guess may redeem the challenge: its digests are made from an id that nobody has.
    const digestId = isDeliverable ? id : randomId()
    const inputs = codeInputs(digestId, identity.ref, stepUp)
    const digest = (kind: CodeKind): string => digestCode(keys, inputs, deriveFor(settings, keys, inputs, kind))
    return { id, short: digest('short'), long: digest('long') }
  }
  const { limits, lifetime, attempts, now } = settings
  const opened = await store.open({
    user: storeKey(keys, identity.ref),
    existing: existing && findChallengeKeys(settings, existing) === keys ? candidate(existing.id) : null,
    fresh: candidate(randomId()),
    lifetime,
    attempts,
    sends: limits.sendsPerUser,
    resend: limits.resend,
    failures: limits.failures,
  })
  if (opened.outcome === 'throttled') {
    const outcome = opened.bucket === 'sends' ? 'sendsPerUser' : 'resendAfter'
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
    tag: tagOf(keys, id),
    locale: before?.locale ?? locale,
    identity: identity.ref,
    expires: now() + expiresIn * 1000,
    sentAt: now(),
    sendId: randomBytes(6).toString('base64url'),
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
export function deriveChallengeCode(
  settings: Settings,
  { id, kind, secret, identity, purpose, details }: ChallengeSource,
): { readonly keys: Keys; readonly code: string } | null {
  const keys = findKeys(settings, secret)
  return keys && { keys, code: deriveFor(settings, keys, codeInputs(id, identity, { purpose, details }), kind) }
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
  const code = normaliseCode(typed, kind, formatOf(kind, settings.code))
  if (code === null) return { outcome: 'malformed' }
  const digest = digestCode(keys, codeInputs(id, identity.ref, stepUp), code)
  const user = storeKey(keys, identity.ref)
  const redeemed = await store.redeem({ user, id, kind, digest, failures: settings.limits.failures })
  const context = eventContext(identity, stepUp, challenge)
  if (redeemed.outcome === 'redeemed') return redeemed
  events.publish({ type: 'rejected', ...context, outcome: redeemed.outcome })
  if (redeemed.outcome === 'mismatch' && redeemed.escalated) {
    events.publish({ type: 'escalated', ...context, outcome: 'long_code_required' })
  }
  return redeemed
}

function randomId(): string {
  return randomBytes(16).toString('base64url')
}

function deriveFor(settings: Settings, keys: Keys, inputs: CodeInputs, kind: CodeKind): string {
  return deriveCode(keys, inputs, kind, formatOf(kind, settings.code))
}

function codeInputs(challengeId: string, ref: IdentityRef, { purpose, details }: Binding): CodeInputs {
  const user = JSON.stringify([ref.type, ref.id, ref.email, ref.version])
  return { challengeId, user, purpose, details }
}

// Consonants only, so that they spell no word; letters, so that mail programs do not take them for the code.
function tagOf(keys: Keys, id: string): string {
  const letters = 'BCDFGHJKLMNPQRSTVWXZ'
  return [...mac(keys.message, 'tag', id).subarray(0, 3)].map((byte) => letters.charAt(byte % 20)).join('')
}
