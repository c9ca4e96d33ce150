import { type Keys, mac } from '../crypto/keys.js'

/** The key of a user, an address or a network in a store: a keyed hash, so that the store does not reveal who it is. */
export function storeKey(keys: Keys, owner: { readonly type: 'user' | 'address' | 'ip'; readonly id: string }): string {
  return mac(keys.store, owner.type, owner.id).toString('base64url').slice(0, 27)
}
