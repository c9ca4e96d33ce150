import { type Keys, mac } from '../crypto/keys.js'
import type { IdentityRef } from '../identity/user.js'

/** A keyed hash instead of an id or address: nothing in a store says whose it is. */
export function storeKey(keys: Keys, ref: IdentityRef): string {
  return mac(keys.store, ref.type, ref.id).toString('base64url').slice(0, 27)
}
