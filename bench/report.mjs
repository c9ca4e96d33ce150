// The report of a benchmark: printed line by line, and written to a file at the end.
import { writeFileSync } from 'node:fs'

const lines = []

export function print(line = '') {
  console.log(line)
  lines.push(line)
}

export const whole = (number) => Math.round(number).toLocaleString('en')

export function goal(what, isMet) {
  print(`- goal: ${what}: **${isMet ? 'met' : 'not met'}**`)
}

export function table(head, results, what = 'calls') {
  print(`| ${head} | ${what} a second | latency | ratio to the first | quartiles |`)
  print('|---|--:|--:|--:|--:|')
  for (const [name, { rate, ratio, low, high }] of Object.entries(results)) {
    const cells = [
      name,
      whole(rate),
      `${whole(1e6 / rate)} µs`,
      ratio.toFixed(2),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
    ]
    print(`| ${cells.join(' | ')} |`)
  }
  print()
}

export function write(file) {
  writeFileSync(new URL(file, import.meta.url), `${lines.join('\n').trimEnd()}\n`)
}
