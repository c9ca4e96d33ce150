import type { Settings } from '../config/settings.js'
import { unkeyedHash } from '../crypto/keys.js'
import { randomId } from '../crypto/random.js'
import type { OtpRequest } from '../express-types.js'
import type { Identity } from '../identity/user.js'
import { SealedCookie } from './sealed-cookie.js'

const NINETY_DAYS = 90 * 86_400
const MAX_ADDRESSES = 5

/** What the cookie holds: an id of the browser, and for each proven address its hash and the time of the proof. */
interface Device {
  readonly id: string
  readonly addresses: readonly (readonly [hash: string, provenAt: number])[]
}

/**
 * The cookie of a browser that has proven a typed address (a device cookie, as OWASP calls it). Mails that such a browser
 * asks for are counted apart, so that strangers cannot use them up. It opens nothing, and says nothing about the address.
 */
export class DeviceCookie {
  readonly #cookie: SealedCookie
  readonly #now: () => number

  constructor({ keys, publicPath, now }: Settings) {
    const name = `otp-device${publicPath.replace(/[^A-Za-z0-9]+/g, '-')}`
    this.#cookie = new SealedCookie(name, keys, NINETY_DAYS, now)
    this.#now = now
  }

  /** The id of a browser that has proven this address in the last 90 days; else null. */
  knows(req: OtpRequest, identity: Identity): string | null {
    const device = this.#read(req)
    const hash = device && hashOf(device, identity)
    return device?.addresses.some(([one]) => one === hash) ? device.id : null
  }

  /** The header `Set-Cookie` that adds an address. */
  remember(req: OtpRequest, identity: Identity): string {
    const device = this.#read(req) ?? { id: randomId(), addresses: [] }
    const hash = hashOf(device, identity)
    const others = device.addresses.filter(([one]) => one !== hash)
    const addresses = [[hash, this.#now()], ...others].slice(0, MAX_ADDRESSES)
    return this.#cookie.header(req, JSON.stringify({ id: device.id, addresses }))
  }

  #read(req: OtpRequest): Device | null {
    const text = this.#cookie.read(req)
    if (text === null) return null
    const device = JSON.parse(text) as Device
    const isRecent = ([, provenAt]: Device['addresses'][number]): boolean => this.#now() - provenAt < NINETY_DAYS * 1000
    return { ...device, addresses: device.addresses.filter(isRecent) }
  }
}

/** Equal addresses have other hashes in other browsers. */
function hashOf({ id }: Device, { address }: Identity): string {
  return unkeyedHash(JSON.stringify([id, address.key]))
}
