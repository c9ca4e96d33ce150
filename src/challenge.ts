import { randomBytes } from 'node:crypto'
import { type CodeKind, type CodeSubject, deriveCode, digestCode, LONG, normaliseCode } from './code.js'
import type { Subject } from './events.js'
import { type Keys, mac } from './keys.js'
import type { Parts } from './parts.js'
import type { Holder, Person } from './person.js'
import type { OpenChallenge } from './session-records.js'
import type { Settings } from './settings.js'
import type { StepUp } from './step-up.js'
import type { Candidate, OpenOutcome, RedeemOutcome } from './stores/store.js'

/** A challenge that was opened. Its code is derived where the mail is made, and is nowhere else. */
export interface Issued {
  readonly outcome: 'opened'
  readonly challenge: OpenChallenge
}

type Throttled = Extract<OpenOutcome, { outcome: 'throttled' }>

/**
 * Opens a challenge for a step-up, or repeats the one that the session knows: one store call.
 * `isMailable` false opens one that no code redeems, for an address that the host does not accept.
 */
export async function issue(
  { settings, store, events }: Parts,
  person: Person,
  stepUp: StepUp,
  known: OpenChallenge | null,
  locale: string,
  isMailable = true,
): Promise<Issued | Throttled> {
  const keys = settings.keys.current
  const candidate = (id: string): Candidate => {
    // What is not mailed must not be guessed either: then the digests are those of some other challenge.
    const source = isMailable ? id : freshId()
    const subject = subjectOf(source, person.holder, stepUp)
    const digest = (kind: CodeKind): string => digestCode(keys, subject, codeFor(settings, keys, subject, kind))
    return { id, short: digest('short'), long: digest('long') }
  }
  const { limits, lifetime, attempts, now } = settings
  const opened = await store.open({
    user: storeKey(keys, person.holder),
    repeat: known?.secret === keys.fingerprint ? candidate(known.id) : null,
    begin: candidate(freshId()),
    lifetime,
    attempts,
    sends: limits.sendsPerUser,
    resend: limits.resend,
    failures: limits.failures,
  })
  if (opened.outcome === 'throttled') {
    const outcome = opened.bucket === 'sends' ? 'sendsPerUser' : 'resendAfter'
    events.publish({ type: 'throttled', ...about(person, stepUp, known), outcome })
    return opened
  }
  const { id, kind, repeated, expiresIn } = opened
  const challenge: OpenChallenge = {
    id,
    secret: keys.fingerprint,
    kind,
    purpose: stepUp.purpose,
    details: stepUp.details,
    tag: tagOf(keys, id),
    masked: person.masked,
    locale: repeated && known ? known.locale : locale,
    holder: person.holder,
    expires: now() + expiresIn * 1000,
    resendAt: now() + limits.resend.refill * 1000,
    delivery: 'queued',
    mailed: repeated && known?.kind === kind && (known.mailed || known.delivery === 'sent'),
    ended: false,
  }
  events.publish({
    type: 'issued',
    ...about(person, stepUp, challenge),
    outcome: repeated ? 'repeated' : 'begun',
  })
  return { outcome: 'opened', challenge }
}

/** Derives the code of a challenge again, with the keys that made it; null when their secret is gone. */
export function codeOf(
  settings: Settings,
  { id, kind, secret, holder, purpose, details }: OpenChallenge,
): { readonly keys: Keys; readonly code: string } | null {
  const keys = keysOf(settings, secret)
  return keys && { keys, code: codeFor(settings, keys, subjectOf(id, holder, { purpose, details }), kind) }
}

/**
 * Redeems what was typed: one store call, which counts and compares. The digest is made from the user, purpose and
 * details of now, so a code for another user, deed or amount cannot match.
 * `malformed` was not counted.
 */
export async function verify(
  { settings, store, events }: Parts,
  person: Person,
  stepUp: StepUp,
  challenge: OpenChallenge,
  typed: string,
): Promise<RedeemOutcome | { readonly outcome: 'malformed' }> {
  const keys = keysOf(settings, challenge.secret)
  if (!keys) return { outcome: 'absent' }
  const { id, kind } = challenge
  const code = normaliseCode(typed, kind, kind === 'long' ? LONG : settings.code)
  if (code === null) return { outcome: 'malformed' }
  const digest = digestCode(keys, subjectOf(id, person.holder, stepUp), code)
  const user = storeKey(keys, person.holder)
  const redeemed = await store.redeem({ user, id, kind, digest, failures: settings.limits.failures })
  const subject = about(person, stepUp, challenge)
  if (redeemed.outcome === 'redeemed') return redeemed
  events.publish({ type: 'rejected', ...subject, outcome: redeemed.outcome })
  if (redeemed.outcome === 'mismatch' && redeemed.escalated) {
    events.publish({ type: 'escalated', ...subject, outcome: 'longer' })
  }
  return redeemed
}

function freshId(): string {
  return randomBytes(16).toString('base64url')
}

/** A keyed hash instead of an id or address: nothing in a store says whose it is. */
export function storeKey(keys: Keys, holder: Holder): string {
  return mac(keys.store, holder.kind, holder.id).toString('base64url').slice(0, 27)
}

export function about(person: Person, stepUp: StepUp, challenge: OpenChallenge | null): Subject {
  const user = person.user ? person.holder.id : null
  return { user, purpose: stepUp.purpose, tag: challenge?.tag ?? null }
}

function keysOf({ keys }: Settings, secret: string): Keys | null {
  return keys.all.find((one) => one.fingerprint === secret) ?? null
}

function codeFor(settings: Settings, keys: Keys, subject: CodeSubject, kind: CodeKind): string {
  return deriveCode(keys, subject, kind, kind === 'long' ? LONG : settings.code)
}

type Deed = Pick<StepUp, 'purpose' | 'details'>

function subjectOf(challenge: string, holder: Holder, { purpose, details }: Deed): CodeSubject {
  const user = JSON.stringify([holder.kind, holder.id, holder.email, holder.version])
  return { challenge, user, purpose, details }
}

// Consonants only: three of them spell no word, and no digit stands near the code.
function tagOf(keys: Keys, id: string): string {
  const letters = 'BCDFGHJKLMNPQRSTVWXZ'
  return [...mac(keys.mail, 'tag', id).subarray(0, 3)].map((byte) => letters.charAt(byte % 20)).join('')
}
