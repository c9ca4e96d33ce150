// Whether time tells a typed address that is mailed from one that is not. Measured from this process, the app is another.
import { randomInt } from 'node:crypto'
import { Agent } from 'node:http'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.mjs'
import { arrivals } from './timing-arrivals.mjs'
import { call, interleaved, KINDS, newAddress, send } from './timing-client.mjs'
import { goal, print, write } from './report.mjs'

const MAX_AUC = 0.53
const MAIL_TAKES_MS = 20
/** One address: how long its answer takes, and what follows it. */
async function trial(port, kind) {
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  const fresh = new Agent()
  await call(kept, port) // the connection is there
  const answer = await send(kept, port, newAddress(kind))
  const { cookie } = answer
  const next = await call(kept, port, { cookie })
  const onFresh = await call(fresh, port, { cookie })
  let ten = 0
  for (let i = 0; i < 10; i++) ten += (await call(kept, port, { cookie })).ms
  kept.destroy()
  return {
    'the answer': answer.ms,
    'the next request on the same connection': next.ms,
    'the next request on a fresh connection': onFresh.ms,
    'ten requests after it': ten,
  }
}

/** The probability that a value of `a` is above one of `b`; 0.5 is no difference. From 0.5 on, whichever is above. */
function auc(a, b) {
  const all = [...a.map((ms) => [ms, 1]), ...b.map((ms) => [ms, 0])].sort(([one], [two]) => one - two)
  let [ranks, i] = [0, 0]
  while (i < all.length) {
    let end = i
    while (end < all.length && all[end][0] === all[i][0]) end++
    for (let k = i; k < end; k++) if (all[k][1] === 1) ranks += (i + end + 1) / 2 // ties share their mean rank
    i = end
  }
  const area = (ranks - (a.length * (a.length + 1)) / 2) / (a.length * b.length)
  return Math.max(area, 1 - area)
}

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)].toFixed(2)

/** @param took {what: {kind: milliseconds}} */
function report(took, n) {
  const [first, other, again] = Object.keys(KINDS)
  print(`| n = ${n} of each | accepted, p50 | refused, p50 | AUC | AUC of A/A |`)
  print('|---|--:|--:|--:|--:|')
  for (const [what, times] of Object.entries(took)) {
    const areas = [auc(times[first], times[other]), auc(times[first], times[again])].map((area) => area.toFixed(3))
    print(`| ${[what, `${middle(times[first])} ms`, `${middle(times[other])} ms`, ...areas].join(' | ')} |`)
  }
  print()
  for (const [what, times] of Object.entries(took)) {
    const area = auc(times[first], times[other])
    goal(`AUC ≤ ${MAX_AUC} for ${what} (${area.toFixed(3)})`, area <= MAX_AUC)
  }
  print()
}

export async function measure({ quick }) {
  const [rounds, warmUp] = quick ? [60, 20] : [1_000, 100]
  const mails = await startChild('./mail-server.mjs')
  await mails.ask({ delay: MAIL_TAKES_MS })
  const app = await startChild('./timing-app.mjs', String(mails.ready.port), '3')
  const took = {}
  let left = warmUp * 3
  for (const kind of interleaved(rounds + warmUp)) {
    const times = await trial(app.ready.port, kind)
    if (left-- > 0) continue
    for (const [what, ms] of Object.entries(times)) ((took[what] ??= {})[kind] ??= []).push(ms)
    await sleep(randomInt(20))
  }
  app.stop()
  mails.stop()

  print('# Benchmark of timing')
  print()
  print(
    `\`npm run bench -- timing\`, ${new Date().toISOString().slice(0, 10)}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}.`,
  )
  print(
    'An app that mails some typed addresses and refuses others, measured from another process. AUC is how often a time',
  )
  print('of the one is above a time of the other: 0.5 is no difference. Addresses come in random order; the A/A column')
  print('compares accepted with accepted, and so shows the noise.')
  print()
  print('### POST /2fa/send, and the requests after it')
  print()
  print(`The mail server takes ${MAIL_TAKES_MS} ms for a mail. The mails of earlier addresses go out meanwhile.`)
  print()
  report(took, rounds)
  const perKind = quick ? 8 : 60
  print('### The mail that follows')
  print()
  print(
    'One connection, and a mail server that takes 300 ms. Right after the answer the measurer asks for a code to an',
  )
  print('address of their own: how long until that mail is there.')
  print()
  report({ 'the arrival of the next mail': await arrivals(perKind) }, perKind)
  print(
    `With n = ${rounds}, chance alone gives an AUC up to ${(0.5 + 1.96 * Math.sqrt(1 / 6 / rounds)).toFixed(3)} in 19 of 20 cases;`,
  )
  print(`with n = ${perKind}, up to ${(0.5 + 1.96 * Math.sqrt(1 / 6 / perKind)).toFixed(3)}.`)
  if (!quick) write('timing.md')
}
