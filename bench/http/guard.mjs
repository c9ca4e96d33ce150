// An open guard beside the same page of the same process without it.
import { arrivals } from './client.mjs'
import { journey } from './journeys.mjs'
import { shuffled, takeTurns } from './turns.mjs'

const ALONE = 'express-session alone'
export const GUARDED = 'express-email-otp, the same page guarded'

/** Pages without a guard, and pages behind guards, asked for by users who have proven their code. */
async function guardLines({ plugin, hand, 'better-auth-email-otp': betterAuth }) {
  const signedIn = await arrivals(plugin)
  const { users: proven } = await journey({ plugin, hand, ...(betterAuth && { betterAuth }) }, 16)
  return {
    [ALONE]: { subject: plugin, step: 'plain', users: signedIn },
    [`${ALONE} (A/A)`]: { subject: plugin, step: 'plain', users: signedIn },
    [GUARDED]: { subject: plugin, step: 'guard', users: proven.plugin },
    'not guarded, with a grant in the session': { subject: plugin, step: 'plain', users: proven.plugin },
    'hand-written, guarded': { subject: hand, step: 'guard', users: proven.hand },
    ...(betterAuth && {
      'better-auth, getSession()': { subject: betterAuth, step: 'guard', users: proven.betterAuth },
    }),
  }
}

/**
 * @param keep is told the slices of each round: (action, connections, line, round, slices)
 * @returns the names of the lines
 */
export async function measureGuard(subjects, { connections, guardRounds, guardWarmUps }, keep, tell) {
  const lines = await guardLines(subjects)
  for (let round = -guardWarmUps; round < guardRounds; round++) {
    if (round >= 0 && round % 10 === 0) tell(round)
    for (const width of shuffled(connections)) {
      const costs = await takeTurns(lines, width)
      if (round < 0) continue
      for (const [name, slices] of Object.entries(costs)) keep('guard', width, name, round, slices)
    }
  }
  return Object.keys(lines)
}
