import { randomFillSync } from 'node:crypto'

/** Drawn at once: asking the system for each id alone takes longer than all that is done with it. */
const RESERVE = Buffer.alloc(4_096)
let used = RESERVE.length

/** Bytes of the system's generator (ASVS 11.5.1), each handed out once. */
export function randomBytes(size: number): Buffer {
  if (used + size > RESERVE.length) {
    randomFillSync(RESERVE)
    used = 0
  }
  used += size
  return Buffer.from(RESERVE.subarray(used - size, used))
}

/** 128 bits by default, more than can be guessed. */
export function randomId(bytes = 16): string {
  return randomBytes(bytes).toString('base64url')
}
