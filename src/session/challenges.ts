import type { OpenChallenge } from '../challenge/records.js'
import { type Binding, sameBinding } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import { reloadSession, saveSession, type SessionSettings } from './host-session.js'
import { read, write } from './storage.js'

/** The challenge of this step-up that belongs to `ref`; with `ref` null, the one of a typed address. */
export function findChallenge(
  settings: SessionSettings,
  req: OtpRequest,
  binding: Binding,
  ref: IdentityRef | null,
): OpenChallenge | null {
  const isOwn = (owner: IdentityRef): boolean => (ref ? sameIdentity(owner, ref) : owner.type === 'address')
  const challenges = read(settings, req).challenges
  return challenges.find((one) => sameBinding(one, binding) && isOwn(one.identity)) ?? null
}

/** Saves a challenge. It replaces the one with the same binding. */
export function saveChallenge(settings: SessionSettings, req: OtpRequest, challenge: OpenChallenge): void {
  const others = read(settings, req).challenges.filter((one) => !sameBinding(one, challenge))
  write(settings, req, { challenges: [challenge, ...others] })
}

/**
 * Updates a stored challenge after an await. Reloads the session first and does nothing if the challenge was redeemed or
 * replaced, or the session ended, in the meantime. Without a change it only reloads, so that the end of the request does
 * not save an old copy.
 * @throws OtpError `session_unavailable` when the session cannot be read or saved
 */
export async function updateChallenge(
  settings: SessionSettings,
  req: OtpRequest,
  challenge: OpenChallenge,
  change: Partial<Pick<OpenChallenge, 'delivery' | 'isUsedUp'>> | null,
  prefer: 'stored' | 'current',
): Promise<void> {
  if ((await reloadSession(settings, req, prefer)) === 'gone' || change === null) return
  const current = read(settings, req).challenges.find((one) => one.id === challenge.id)
  if (!current) return
  saveChallenge(settings, req, { ...current, ...change })
  await saveSession(settings, req)
}

export function removeChallenge(settings: SessionSettings, req: OtpRequest, binding: Binding): void {
  write(settings, req, { challenges: read(settings, req).challenges.filter((one) => !sameBinding(one, binding)) })
}
