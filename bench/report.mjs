// What a benchmark says: on the screen as it goes, and in a file at the end.
import { writeFileSync } from 'node:fs'

const lines = []

export function say(line = '') {
  console.log(line)
  lines.push(line)
}

export const whole = (number) => Math.round(number).toLocaleString('en')

export function goal(what, isMet) {
  say(`- goal: ${what}: **${isMet ? 'met' : 'not met'}**`)
}

export function table(head, results, what = 'calls') {
  say(`| ${head} | ${what} a second | latency | ratio to the first | quartiles |`)
  say('|---|--:|--:|--:|--:|')
  for (const [name, { rate, ratio, low, high }] of Object.entries(results)) {
    const cells = [
      name,
      whole(rate),
      `${whole(1e6 / rate)} µs`,
      ratio.toFixed(2),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
    ]
    say(`| ${cells.join(' | ')} |`)
  }
  say()
}

export function write(file) {
  writeFileSync(new URL(file, import.meta.url), `${lines.join('\n').trimEnd()}\n`)
}
