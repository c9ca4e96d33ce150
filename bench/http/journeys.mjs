// send, wrong, right: users of all subjects go through the whole journey together, one step after the other.
import { arrivals, readMails } from './client.mjs'
import { shuffled, takeTurns } from './turns.mjs'

export const ACTIONS = ['send', 'wrong', 'right']

/**
 * @param subjects {name: subject}
 * @returns what each action costs with each subject, and the users, who have proven their code by then
 */
export async function journey(subjects, connections) {
  const names = Object.keys(subjects)
  const users = {}
  for (const name of names) users[name] = await arrivals(subjects[name])
  const costs = {}
  for (const action of ACTIONS) {
    const line = (name) => ({ subject: subjects[name], step: action, users: users[name] })
    costs[action] = await takeTurns(Object.fromEntries(names.map((name) => [name, line(name)])), connections)
    if (action !== 'send') continue
    for (const name of names) await readMails(subjects[name], users[name])
  }
  return { users, costs }
}

/** Until the compiler has seen enough, which takes about a thousand requests of each kind. */
export async function warmUp(subjects, rounds) {
  for (let round = 0; round < rounds; round++) {
    await journey(subjects, 16)
    await clear(subjects)
  }
}

/**
 * @param keep is told the slices of each round: (action, connections, subject, round, slices)
 * @param tell is told each round that begins
 */
export async function measureJourneys(subjects, { connections, rounds }, keep, tell) {
  for (let round = 0; round < rounds; round++) {
    tell(round)
    for (const width of shuffled(connections)) {
      const { costs } = await journey(subjects, width)
      await clear(subjects)
      for (const action of ACTIONS) {
        for (const [name, slices] of Object.entries(costs[action])) keep(action, width, name, round, slices)
      }
    }
  }
}

/** What a round leaves behind must not slow the next one. */
async function clear(subjects) {
  for (const subject of Object.values(subjects)) await subject.ask('clear')
}
