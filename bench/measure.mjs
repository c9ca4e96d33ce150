// Slices of what is compared take turns, so that a noisy machine is noisy for all of them. Every comparison has an A/A
// line: the same act twice, whose ratio tells how much of a difference is noise.
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Calls a second of one slice. */
async function slice(act, calls, inFlight) {
  let next = 0
  const worker = async () => {
    while (next < calls) await act(next++)
  }
  const began = process.hrtime.bigint()
  await Promise.all(Array.from({ length: inFlight }, worker))
  return calls / (Number(process.hrtime.bigint() - began) / 1e9)
}

/**
 * Compares acts with the first one, of which a second copy runs along.
 * @param acts {name: {act(i), before?(calls)}}; `before` prepares a slice and is not measured
 * @param reset makes each slice begin alike: what one act leaves behind must not slow the next one
 * @returns {name: {rate, ratio, low, high}}: median calls a second, and the median and quartiles of the ratios to the
 *   first act in the same round
 */
export async function compare(acts, { rounds, calls, inFlight, reset }) {
  const [base] = Object.keys(acts)
  const all = { ...acts, [`${base} (A/A)`]: acts[base] }
  const names = Object.keys(all)
  const rates = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + Math.max(round, 0)) % names.length]
      await reset?.()
      await all[name].before?.(calls)
      const rate = await slice(all[name].act, calls, inFlight)
      if (round >= 0) rates[name].push(rate) // the first round warms up
    }
  }
  return Object.fromEntries(
    names.map((name) => {
      const ratios = rates[name].map((rate, i) => rate / rates[base][i]).sort((a, b) => a - b)
      const at = (part) => ratios[Math.floor(part * (ratios.length - 1))]
      return [name, { rate: median(rates[name]), ratio: median(ratios), low: at(0.25), high: at(0.75) }]
    }),
  )
}

/** The longest and the tenth longest time in ms that the event loop was away while something went on. */
export async function longestBlocks(until) {
  const gaps = []
  let isOver = false
  const over = until().then(() => (isOver = true))
  let last = performance.now()
  while (!isOver) {
    await turn()
    const now = performance.now()
    gaps.push(now - last)
    last = now
  }
  await over
  gaps.sort((a, b) => b - a)
  return { longest: gaps[0], tenth: gaps[9] }
}
