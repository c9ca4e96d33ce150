import { createHash, createHmac, hkdfSync } from 'node:crypto'

/** The keys that one secret yields: one label each use, so that no key serves two purposes (RFC 5869). */
export interface Keys {
  /** Names the secret without telling it; kept with each challenge, so that rotation finds it again. */
  readonly fingerprint: string
  readonly code: Buffer
  readonly digest: Buffer
  readonly store: Buffer
  readonly seal: Buffer
  readonly message: Buffer
  readonly job: Buffer
}

/** All secrets, newest first. The first one makes, the others still open what they made. */
export interface KeyRing {
  readonly current: Keys
  readonly all: readonly Keys[]
}

/**
 * @param scope what one plugin seals, a plugin of another scope with the same secret cannot open
 */
export function keyRing(secrets: readonly [string, ...string[]], scope = ''): KeyRing {
  const [first, ...rest] = secrets
  const current = deriveKeys(first, scope)
  return { current, all: [current, ...rest.map((secret) => deriveKeys(secret, scope))] }
}

function deriveKeys(secret: string, scope: string): Keys {
  const key = (label: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `express-email-otp/1/${label}`, 32))
  return {
    fingerprint: key('fingerprint').toString('base64url').slice(0, 8),
    code: key('code'),
    digest: key('digest'),
    store: key('store'),
    seal: key(`seal/${scope}`),
    message: key('mail'),
    job: key('job'),
  }
}

/** HMAC-SHA-256 over the parts; JSON keeps ["ab","c"] and ["a","bc"] apart. */
export function mac(key: Buffer, ...inputs: readonly (string | null)[]): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(inputs)).digest()
}

/**
 * An unkeyed fingerprint for values that are kept only where they could stand in the clear (the sealed
 * step-up, the host's own session). Unkeyed, so that it stays the same when the secret rotates.
 */
export function unkeyedHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
