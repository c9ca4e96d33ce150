import { createCipheriv, createDecipheriv } from 'node:crypto'
import { randomBytes } from './random.js'

const [IV, TAG] = [12, 16]

/**
 * Encrypts and authenticates a text, URL-safe: AES-256-GCM with random 96-bit nonces (NIST SP 800-38D 8.2.2: one key
 * must not seal more than 2^32 of them).
 */
export function seal(key: Buffer, text: string): string {
  const iv = randomBytes(IV)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** Opens a sealed text with the first key that fits; null if it was altered or sealed with another key. */
export function unseal(keys: readonly Buffer[], sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url')
  // Decoding ignores other characters than base64url: such a text would be accepted and get into pages and headers.
  if (bytes.length <= IV + TAG || bytes.toString('base64url') !== sealed) return null
  for (const key of keys) {
    const text = decrypt(key, bytes)
    if (text !== null) return text
  }
  return null
}

function decrypt(key: Buffer, bytes: Buffer): string | null {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG })
    decipher.setAuthTag(bytes.subarray(-TAG))
    return decipher.update(bytes.subarray(IV, -TAG), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return null
  }
}
