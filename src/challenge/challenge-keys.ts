import type { OpenChallenge } from './records.js'
import type { Settings } from '../config/settings.js'
import type { Keys } from '../crypto/keys.js'
import { warnOnce } from '../warn.js'

/** The keys of the secret with this fingerprint; null if it is not configured. */
export function findKeys({ keys }: Settings, secret: string): Keys | null {
  return keys.all.find((one) => one.fingerprint === secret) ?? null
}

/** The same for a challenge of the session. Warns if its code still lives and cannot be verified here. */
export function findChallengeKeys(settings: Settings, { secret, expires }: OpenChallenge): Keys | null {
  const keys = findKeys(settings, secret)
  if (keys === null && expires > settings.now()) warnAboutUnknownSecret()
  return keys
}

function warnAboutUnknownSecret(): void {
  const warning =
    'a code was asked for at a process with another `secret`, so nobody can type it here. Rotate secrets in steps: ' +
    'give every process [old, new], then every process [new, old], and after an hour [new].'
  warnOnce('OTP_UNKNOWN_SECRET', warning)
}
