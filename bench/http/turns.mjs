// Slices of what is compared take turns in an order that is shuffled anew each time. They are short, since the speed of
// a shared machine changes within seconds: what is compared goes through the same seconds.
import { slice } from './client.mjs'

const SLICE = 50

export function shuffled(list) {
  const all = [...list]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[all[i], all[j]] = [all[j], all[i]]
  }
  return all
}

/**
 * @param lines {name: {subject, step, users}}
 * @returns {name: [{cpu, wall}]}: microseconds a request, slice by slice
 */
export async function takeTurns(lines, connections) {
  const slices = Object.entries(lines).flatMap(([name, line]) =>
    Array.from({ length: Math.ceil(line.users.length / SLICE) }, (_, i) => {
      return { name, ...line, users: line.users.slice(i * SLICE, (i + 1) * SLICE) }
    }),
  )
  const costs = Object.fromEntries(Object.keys(lines).map((name) => [name, []]))
  for (const { name, subject, step, users } of shuffled(slices)) {
    costs[name].push(await slice(subject, step, users, connections))
  }
  return costs
}
