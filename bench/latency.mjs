// How long POST /2fa/send takes for a typed address, with a mail server that answers at once and with a slow one.
import { Buffer } from 'node:buffer'
import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.mjs'
import { goal, print, whole } from './report.mjs'

const CLIENTS = 2
/** Below the 500 that the queue holds, since a slow server takes hardly any of them within a slice. */
const SENDS = 450
const SLOW_MS = 2_000
const SERVERS = { 'at once': 0, 'after 2 s': SLOW_MS, 'at once (A/A)': 0 }
const [FIRST, SLOW, AGAIN] = Object.keys(SERVERS)

let sent = 0

/** One send by somebody new: milliseconds until the answer is there. */
function send(agent, port) {
  const [id, net] = [sent++, [16, 8, 0].map((bits) => (sent >> bits) & 255)]
  const body = JSON.stringify({ email: `person-${id}@example.com` })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-forwarded-for': ['10', ...net].join('.'),
  }
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const asked = request({ agent, port, host: '127.0.0.1', path: '/2fa/send', method: 'POST', headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) resolve(performance.now() - began)
        else reject(new Error(`the answer is ${answer.statusCode}`))
      })
    })
    asked.once('error', reject).end(body)
  })
}

/** Each client sends in its turn: the rate is the same whatever the answers take. */
async function slice(port, gap) {
  const agent = new Agent({ keepAlive: true })
  const took = []
  const begin = performance.now()
  const client = async (turn) => {
    for (let i = turn; i < SENDS; i += CLIENTS) {
      await sleep(begin + i * gap - performance.now())
      took.push(await send(agent, port))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, turn) => client(turn)))
  agent.destroy()
  return took
}

const at = (part, numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(part * (numbers.length - 1))]

function row(name, took) {
  const cells = [name]
  for (const part of [0.5, 0.99]) {
    const ratios = took[name].map((one, i) => at(part, one) / at(part, took[FIRST][i]))
    const all = at(part, took[name].flat())
    const ratio = all / at(part, took[FIRST].flat())
    cells.push(`${all.toFixed(2)} ms`, ratio.toFixed(2), [0.25, 0.75].map((q) => at(q, ratios).toFixed(2)).join('–'))
  }
  print(`| ${cells.join(' | ')} |`)
}

export async function latency({ rounds, gap }) {
  const mails = await startChild('./mail-server.mjs')
  const app = await startChild('./typed-app.mjs', String(mails.ready.port))
  const names = Object.keys(SERVERS)
  const took = Object.fromEntries(names.map((name) => [name, []]))
  const queues = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -2; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + Math.max(round, 0)) % names.length]
      await mails.ask({ delay: SERVERS[name] })
      const times = await slice(app.ready.port, gap)
      const { queue } = await app.ask('queue')
      await mails.ask({ delay: 0 })
      await app.ask('rest')
      if (round < 0) continue // the first rounds warm up
      took[name].push(times)
      queues[name].push(queue)
    }
  }
  app.stop()
  mails.stop()

  const p99 = Object.fromEntries(names.map((name) => [name, at(0.99, took[name].flat())]))
  const [slow, noise] = [p99[SLOW] / p99[FIRST], p99[AGAIN] / p99[FIRST]]
  print('### POST /2fa/send, typed address')
  print()
  print(
    'One app with the memory store, and one mail server that is told anew before each slice how to answer. Each line:',
  )
  print(
    `${whole(rounds * SENDS)} sends to new addresses, ${SENDS} a slice, ${whole(1_000 / gap)} a second by ${CLIENTS} clients in turn.`,
  )
  print(
    'p50 and p99 are of all sends of a line, their ratios too; the quartiles are those of the ratios of single rounds.',
  )
  print(`After a slice the slow server had left ${Math.min(...queues[SLOW])} mails or more in the queue, the other one`)
  print(
    `${Math.max(...queues[FIRST], ...queues[AGAIN])} at most. The slowest answers are those that garbage collection came`,
  )
  print('across, and there is more garbage while mails go out.')
  print()
  print('| the mail server answers | p50 | ratio | quartiles | p99 | ratio | quartiles |')
  print('|---|--:|--:|--:|--:|--:|--:|')
  for (const name of names) row(name, took)
  print()
  goal(
    `p99 within ±10 % whether the mail server answers at once or after 2 s (${slow.toFixed(2)}; A/A ${noise.toFixed(2)})`,
    Math.abs(slow - 1) <= 0.1,
  )
}
