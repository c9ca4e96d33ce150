import { createCipheriv, createDecipheriv } from 'node:crypto'
import { randomBytes } from './random.js'

const [IV, TAG] = [12, 16]

/**
 * Encrypts and authenticates a text or bytes, URL-safe: AES-256-GCM with random 96-bit nonces (NIST SP 800-38D 8.2.2: one key
 * must not seal more than 2^32 of them).
 */
export function seal(key: Buffer, content: string | Buffer): string {
  const plain = typeof content === 'string' ? Buffer.from(content) : content
  const iv = randomBytes(IV)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** Opens a sealed text with the first key that fits; null if it was altered or sealed with another key. */
export function unseal(keys: readonly Buffer[], sealed: string): string | null {
  return unsealBytes(keys, sealed)?.toString('utf8') ?? null
}

/** The same for bytes. */
export function unsealBytes(keys: readonly Buffer[], sealed: string): Buffer | null {
  const bytes = Buffer.from(sealed, 'base64url')
  // Decoding ignores other characters than base64url: such a text would be accepted and get into pages and headers.
  if (bytes.length <= IV + TAG || bytes.toString('base64url') !== sealed) return null
  for (const key of keys) {
    const plain = decrypt(key, bytes)
    if (plain !== null) return plain
  }
  return null
}

function decrypt(key: Buffer, bytes: Buffer): Buffer | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG })
    decipher.setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(IV, -TAG)), decipher.final()])
  } catch {
    return null
  }
}
