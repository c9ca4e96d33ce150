// What was measured, slice by slice, and the tables that are made of it.
import { print } from '../report.mjs'

export const at = (part, numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(part * (numbers.length - 1))]
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

/** Other work on the machine only ever adds to a slice, so the lowest fifth is near to what there is without it. */
const CALM = 0.2

export class Figures {
  #rounds = new Map()

  keep(run, action, connections, name, round, slices) {
    const key = `${action} ${connections} ${name}`
    if (!this.#rounds.has(key)) this.#rounds.set(key, [])
    this.#rounds.get(key).push({ run, round, slices })
  }

  /** A line of a table, and its ratios to another line. */
  line(action, connections, name, base) {
    const of = (one) => this.#rounds.get(`${action} ${connections} ${one}`)
    const [mine, theirs] = [of(name), of(base)]
    const cpuOf = ({ slices }) => mean(slices.map(({ cpu }) => cpu))
    const ratios = mine.map((one, i) => cpuOf(one) / cpuOf(theirs[i]))
    const runs = [...new Set(mine.map(({ run }) => run))].map((run) => {
      const inRun = (one) => one.run === run
      return calm(mine.filter(inRun)) / calm(theirs.filter(inRun))
    })
    return {
      cpu: at(0.5, mine.map(cpuOf)),
      ratio: at(0.5, ratios),
      quartiles: [at(0.25, ratios), at(0.75, ratios)],
      calmCpu: calm(mine),
      calmRatio: at(0.5, runs),
      runs: [at(0, runs), at(1, runs)],
      wall: at(
        0.5,
        mine.flatMap(({ slices }) => slices.map(({ wall }) => wall)),
      ),
    }
  }
}

function calm(rounds) {
  return at(
    CALM,
    rounds.flatMap(({ slices }) => slices.map(({ cpu }) => cpu)),
  )
}

/**
 * @param names {name: what the table calls it}; the first is what ratios are to
 * @param goals {name: the largest ratio that is aimed at}
 */
export function table(figures, action, connections, names, goals) {
  const [base] = Object.keys(names)
  const head = `${action}, ${connections === 1 ? '1 connection' : `${connections} connections`}`
  print(`| ${head} | CPU | ratio | quartiles | calm CPU | calm ratio | runs | wall | goal |`)
  print('|---|--:|--:|--:|--:|--:|--:|--:|---|')
  const range = ([low, high]) => `${low.toFixed(2)}–${high.toFixed(2)}`
  const micros = (number) => `${number.toFixed(0)} µs`
  for (const [name, title] of Object.entries(names)) {
    const line = figures.line(action, connections, name, base)
    const whole = [micros(line.cpu), line.ratio.toFixed(2), range(line.quartiles)]
    const calmOnes = [micros(line.calmCpu), line.calmRatio.toFixed(2), range(line.runs)]
    print(`| ${[title, ...whole, ...calmOnes, micros(line.wall), verdict(line, goals[name])].join(' | ')} |`)
  }
  print()
}

function verdict({ calmRatio }, goal) {
  if (goal === undefined) return ''
  return `≤ ${goal}: ${calmRatio <= goal ? 'met' : '**not met**'}`
}
