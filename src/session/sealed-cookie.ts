import type { TLSSocket } from 'node:tls'
import { isLoopback } from '../config/smtp-options.js'
import type { KeyRing } from '../crypto/keys.js'
import { seal, unseal } from '../crypto/seal.js'
import type { OtpRequest } from '../express-types.js'
import { parseUrl } from '../url.js'

/** A cookie that only this app can make and read. It opens for its own name only, and until its end. */
export class SealedCookie {
  readonly #name: string
  readonly #keys: KeyRing
  readonly #maxAge: number
  readonly #now: () => number

  /**
   * @param maxAge seconds
   * @param now milliseconds since the epoch
   */
  constructor(name: string, keys: KeyRing, maxAge: number, now: () => number) {
    this.#name = name
    this.#keys = keys
    this.#maxAge = maxAge
    this.#now = now
  }

  /** The value; null if there is none, or it was altered, is too old, or was sealed for something else. */
  read(req: OtpRequest): string | null {
    const prefix = `${this.#nameFor(req)}=`
    const pair = (req.headers.cookie ?? '').split('; ').find((one) => one.startsWith(prefix))
    const cookieKeys = this.#keys.all.map((keys) => keys.cookie)
    const text = pair === undefined ? null : unseal(cookieKeys, pair.slice(prefix.length))
    if (text === null) return null
    const [name, end, value] = JSON.parse(text) as [string, number, string]
    return name === this.#name && this.#now() < end ? value : null
  }

  /** The header `Set-Cookie` that stores a value. */
  header(req: OtpRequest, value: string): string {
    const end = this.#now() + this.#maxAge * 1000
    return this.#header(req, seal(this.#keys.current.cookie, JSON.stringify([this.#name, end, value])), this.#maxAge)
  }

  /** The header `Set-Cookie` that removes it. */
  removal(req: OtpRequest): string {
    return this.#header(req, '', 0)
  }

  #header(req: OtpRequest, sealed: string, maxAge: number): string {
    const secure = isPlainLoopback(req) ? '' : '; Secure'
    return `${this.#nameFor(req)}=${sealed}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`
  }

  /** With `__Host-`, no other host name of the same site can set it (RFC 6265bis 4.1.3.2). */
  #nameFor(req: OtpRequest): string {
    return isPlainLoopback(req) ? this.#name : `__Host-${this.#name}`
  }
}

/** Whether the browser talks to this machine without TLS, where it would not keep a `Secure` cookie. */
function isPlainLoopback({ headers, socket }: OtpRequest): boolean {
  // Of several proxies, the first one wrote the first value: that is what the browser speaks.
  const isForwardedTls = /^https\b/i.test(String(headers['x-forwarded-proto'] ?? ''))
  const isTls = (socket as Partial<TLSSocket>).encrypted === true || isForwardedTls
  const host = parseUrl(`http://${headers.host ?? ''}`)?.hostname ?? ''
  return !isTls && isLoopback(host)
}
