import { type Keys, mac } from '../crypto/keys.js'

/** A keyed hash instead of an id, an address or a network: nothing in a store says whose it is. */
export function storeKey(
  keys: Keys,
  { type, id }: { readonly type: 'user' | 'address' | 'ip'; readonly id: string },
): string {
  return mac(keys.store, type, id).toString('base64url').slice(0, 27)
}
