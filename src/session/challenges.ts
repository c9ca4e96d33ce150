import type { OpenChallenge } from '../challenge/records.js'
import { type Binding, sameBinding } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import type { SessionSettings } from './host-session.js'
import type { ExpectedUser } from './refresh-session.js'
import type { SessionData } from './schema.js'
import { read } from './storage.js'
import { updateSession } from './update-session.js'

type Challenges = Pick<SessionData, 'challenges'>

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

/** With a challenge, which replaces the one with the same binding. */
export function withChallenge({ challenges }: SessionData, challenge: OpenChallenge): Challenges {
  return { challenges: [challenge, ...challenges.filter((one) => !sameBinding(one, challenge))] }
}

export function withoutChallenge({ challenges }: SessionData, { id }: OpenChallenge): Challenges {
  return { challenges: challenges.filter((one) => one.id !== id) }
}

/** Changes a saved challenge, unless it was redeemed or replaced in the meantime. */
export async function updateChallenge(
  settings: SessionSettings,
  req: OtpRequest,
  expected: ExpectedUser,
  { id }: OpenChallenge,
  change: Partial<Pick<OpenChallenge, 'delivery' | 'isUsedUp'>>,
): Promise<void> {
  await updateSession(settings, req, expected, (data) => {
    const current = data.challenges.find((one) => one.id === id)
    return current ? withChallenge(data, { ...current, ...change }) : null
  })
}
