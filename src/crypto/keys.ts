import { createHmac, hash, hkdfSync } from 'node:crypto'

/** The keys derived from one secret, one for each use (RFC 5869). */
export interface Keys {
  /** Identifies the secret without revealing it. Stored with each challenge, to find its secret after a rotation. */
  readonly fingerprint: string
  readonly code: Buffer
  readonly digest: Buffer
  readonly store: Buffer
  readonly seal: Buffer
  readonly notice: Buffer
  readonly cookie: Buffer
  readonly job: Buffer
}

/** The keys of all secrets, newest first. Only `current` makes codes and seals; all of them verify and open. */
export interface KeyRing {
  readonly current: Keys
  readonly all: readonly Keys[]
}

/** @param scope a plugin with another scope cannot open what this one seals, even with the same secret */
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
    notice: key(`notice/${scope}`),
    cookie: key(`cookie/${scope}`),
    job: key('job'),
  }
}

/** HMAC-SHA-256 over the inputs; JSON keeps ["ab","c"] and ["a","bc"] apart. */
export function mac(key: Buffer, ...inputs: readonly (string | null)[]): Buffer {
  return createHmac('sha256', key).update(JSON.stringify(inputs)).digest()
}

/**
 * For values that need not be secret where their hash is kept (the sealed step-up, the host's session), or that nobody can
 * guess (ids). Without a key, so that it stays the same when the secret is rotated.
 */
export function unkeyedHash(data: string | Buffer): string {
  return hash('sha256', data, 'base64url').slice(0, 22)
}
