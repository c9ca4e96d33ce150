// CPU of the server per request over HTTP: the plugin beside hand-written apps and other packages.
import { cpus } from 'node:os'
import { startChild } from './child.mjs'
import { startSubject } from './http/client.mjs'
import { at, Figures, table } from './http/figures.mjs'
import { GUARDED, measureGuard } from './http/guard.mjs'
import { ACTIONS, measureJourneys, warmUp } from './http/journeys.mjs'
import { profile as profileOf } from './http/profile.mjs'
import { hasSqlite } from './http/sqlite.mjs'
import { goal, print } from './report.mjs'

const CONNECTIONS = [1, 16]
/** Subject, process that plays it, and how much longer than the others it takes: so much smaller are its slices. */
const SUBJECTS = {
  floor: { title: 'floor' },
  'floor again': { title: 'floor (A/A)', app: 'floor' },
  hand: { title: 'hand-written' },
  plugin: { title: 'express-email-otp' },
  passwordless: { title: 'passwordless' },
  'better-auth-email-otp': { title: 'better-auth, email-otp', slower: 4, needsSqlite: true },
  'better-auth-two-factor': { title: 'better-auth, two-factor', slower: 4, needsSqlite: true },
}
const GOALS = { send: 1.8, wrong: 1.3, right: 1.3 }
const GUARD_GOAL = 1.03
const CALL_GOAL = 4

const QUICK = { runs: 1, users: 100, warmUps: 6, rounds: 4, guardWarmUps: 4, guardRounds: 10 }
const FULL = { runs: 3, users: 100, warmUps: 12, rounds: 8, guardWarmUps: 10, guardRounds: 25 }

export async function measure({ quick, profile }) {
  if (profile) return profileOf(profile)
  const plan = { connections: CONNECTIONS, ...(quick ? QUICK : FULL) }
  const isSqlite = await hasSqlite()
  if (!isSqlite) console.error('bench: better-sqlite3 does not run here, so better-auth is left out')
  const chosen = Object.entries(SUBJECTS).filter(([, { needsSqlite }]) => isSqlite || !needsSqlite)
  const figures = new Figures()
  let lines
  for (let run = 1; run <= plan.runs; run++) lines = await measureRun(figures, run, chosen, plan)
  const { ready: calls, stop } = await startChild('./http/calls.mjs')
  stop()
  show(figures, chosen, lines, plan)
  showCalls(calls)
}

/** All over again in new processes, since no two of them are optimised alike. */
async function measureRun(figures, run, chosen, plan) {
  const subjects = {}
  for (const [name, { app = name, slower = 1 }] of chosen) {
    subjects[name] = await startSubject(app, plan.users / slower)
  }
  const keep = (action, width, name, round, slices) => figures.keep(run, action, width, name, round, slices)
  const note = (what) => console.error(`bench: run ${run} of ${plan.runs}, ${what}`)
  const tell = (what, rounds) => (round) => note(`${what}, round ${round + 1} of ${rounds}`)
  note('warming up')
  await warmUp(subjects, plan.warmUps)
  await measureJourneys(subjects, plan, keep, tell('journeys', plan.rounds))
  const lines = await measureGuard(subjects, plan, keep, tell('guard', plan.guardRounds))
  for (const subject of Object.values(subjects)) subject.stop()
  return lines
}

function show(figures, chosen, lines, { runs, users, rounds, guardRounds }) {
  const date = new Date().toISOString().slice(0, 10)
  print(`${date}: ${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}.`)
  print(
    `${runs} × ${rounds} rounds, of the guard ${runs} × ${guardRounds}; ${users} requests each, better-auth ${users / 4}.`,
  )
  print()
  const titles = Object.fromEntries(chosen.map(([name, { title }]) => [name, title]))
  const pages = Object.fromEntries(lines.map((name) => [name, name]))
  for (const action of ACTIONS) {
    for (const width of CONNECTIONS) table(figures, action, width, titles, { plugin: GOALS[action] })
  }
  for (const width of CONNECTIONS) table(figures, 'guard', width, pages, { [GUARDED]: GUARD_GOAL })
}

function showCalls({ bare, guarded }) {
  const [low, micros, high] = [0.25, 0.5, 0.75].map((part) => at(part, guarded))
  print(`- the open guard in process: ${micros.toFixed(2)} µs of CPU a call (${low.toFixed(2)}–${high.toFixed(2)});`)
  print(`  a handler that only calls \`next()\`: ${at(0.5, bare).toFixed(2)} µs`)
  goal(`≤ ${CALL_GOAL} µs a call in process (${micros.toFixed(2)})`, micros <= CALL_GOAL)
}
