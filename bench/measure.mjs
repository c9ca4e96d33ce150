// Slices of the compared operations alternate, so that noise of the machine affects all of them. Every comparison has an
// A/A line: the first operation again, whose ratio shows the noise.
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Calls a second of one slice. */
async function slice(run, calls, inFlight) {
  let next = 0
  const worker = async () => {
    while (next < calls) await run(next++)
  }
  const began = process.hrtime.bigint()
  await Promise.all(Array.from({ length: inFlight }, worker))
  return calls / (Number(process.hrtime.bigint() - began) / 1e9)
}

/**
 * Compares operations with the first one, which also runs a second time.
 * @param operations {name: {run(i), before?(calls)}}; `before` prepares a slice and is not measured
 * @param reset runs before each slice: the leftovers of one operation must not slow the next one
 * @returns {name: {rate, ratio, low, high}}: median calls a second, and the median and quartiles of the ratios to the
 *   first operation in the same round
 */
export async function compare(operations, { rounds, calls, inFlight, reset }) {
  const [base] = Object.keys(operations)
  const all = { ...operations, [`${base} (A/A)`]: operations[base] }
  const names = Object.keys(all)
  const rates = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + Math.max(round, 0)) % names.length]
      await reset?.()
      await all[name].before?.(calls)
      const rate = await slice(all[name].run, calls, inFlight)
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

/** The longest and the tenth longest time in ms that the event loop was blocked before `until` resolved. */
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
