import type { OpenRequest, OtpStore } from '../../src/stores/store.js'

/** A store, and the function that moves its clock. */
export interface TimedStore {
  readonly store: OtpStore
  readonly passTime: (seconds: number) => Promise<void>
}

export const DAY = 86_400
/** The default limit of wrong short codes. */
export const FAILURES = { capacity: 10, refill: 5 * DAY }
const STEPS_PER_DAY = 4

/** Attackers, and how many guesses each makes on a day. */
export const ATTACKERS: readonly [name: string, guessesOnDay: (day: number) => number][] = [
  ['who never rests', () => Infinity],
  ['who comes once every five days', (day) => (day % 5 ? 0 : Infinity)],
  ['who guesses once in five days, so that codes stay short', (day) => (day === 0 ? 9 : day % 5 ? 0 : 1)],
  ['who uses up all guesses and then waits', (day) => (day % 25 ? 0 : Infinity)],
  ['who guesses twice a day', () => 2],
]

/** A year in which an attacker guesses and the owner verifies every day. Counts compared short codes and successes. */
export async function attackForAYear(
  { store, passTime }: TimedStore,
  user: string,
  guessesOnDay: (day: number) => number,
): Promise<{ compared: number; verified: number }> {
  let [compared, verified] = [0, 0]
  for (let day = 0; day < 365; day++) {
    let left = guessesOnDay(day)
    for (let step = 0; step < STEPS_PER_DAY; step++) {
      const guesses = left > 0 ? await guessRepeatedly(store, user, `attack ${day} ${step}`, left) : 0
      compared += guesses
      left -= guesses
      if (step === day % STEPS_PER_DAY && (await verifyOwner(store, user, `owner ${day}`))) verified += 1
      await passTime(DAY / STEPS_PER_DAY)
    }
  }
  return { compared, verified }
}

const opening = (user: string, id: string): OpenRequest => ({
  user,
  existing: null,
  fresh: { id, short: `short code of ${id}`, long: `long code of ${id}` },
  lifetime: 600,
  attempts: 5,
  sends: { capacity: 1000, refill: 1 }, // unlimited mails, so that only guesses are limited
  resend: { capacity: 1, refill: 30 },
  failures: FAILURES,
})

/** Guesses at short and long codes until `max` short ones were compared. Returns how many were. */
async function guessRepeatedly(store: OtpStore, user: string, id: string, max: number): Promise<number> {
  let compared = 0
  for (let code = 0; code < 2 && compared < max; code++) {
    const challenge = `${id} ${code}`
    await store.open(opening(user, challenge))
    const attempt = { user, id: challenge, digest: 'wrong', failures: FAILURES }
    // Both kinds, whatever the outcomes.
    const kinds = Array.from({ length: Math.min(6, max - compared) }, () => ['short', 'long'] as const).flat()
    const outcomes = await Promise.all(
      kinds.map(async (kind) => ({ kind, ...(await store.redeem({ ...attempt, kind })) })),
    )
    compared += outcomes.filter(({ kind, outcome }) => kind === 'short' && outcome === 'mismatch').length
  }
  return compared
}

/** The owner asks for a code and types it. */
async function verifyOwner(store: OtpStore, user: string, id: string): Promise<boolean> {
  const opened = await store.open(opening(user, id))
  if (opened.outcome !== 'opened') return false
  const digest = `${opened.kind} code of ${id}`
  const attempt = { user, id, kind: opened.kind, digest, failures: FAILURES }
  return (await store.redeem(attempt)).outcome === 'redeemed'
}
