// Where the CPU goes: a profile of one action of the plugin, for the DevTools of a browser or an editor.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { print } from '../report.mjs'
import { arrivals, readMails, slice, startSubject } from './client.mjs'
import { warmUp } from './journeys.mjs'

const USERS = 400
const CONNECTIONS = 4
const STEPS = ['send', 'wrong', 'right', 'guard']

export async function profile(action) {
  const plugin = await startSubject('plugin', USERS)
  await warmUp({ plugin }, 4)
  const file = join(mkdtempSync(join(tmpdir(), 'otp-bench-')), `${action}.cpuprofile`)
  const users = await arrivals(plugin)
  for (const step of STEPS.slice(0, STEPS.indexOf(action))) {
    await slice(plugin, step, users, CONNECTIONS)
    if (step === 'send') await readMails(plugin, users)
  }
  await plugin.ask('startProfile')
  const { cpu } = await slice(plugin, action, users, CONNECTIONS)
  await plugin.ask('stopProfile', { file })
  plugin.stop()
  print(`${USERS} × ${action}, ${cpu.toFixed(0)} µs of CPU each while being profiled: ${file}`)
  print()
  hotSpots(JSON.parse(readFileSync(file, 'utf8')))
}

/** The functions that most of the time was spent in, without what they call. */
function hotSpots({ nodes, samples, timeDeltas }) {
  const own = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map()
  samples.forEach((id, i) => times.set(own.get(id), (times.get(own.get(id)) ?? 0) + timeDeltas[i]))
  for (const name of ['(idle)', 'dispatch']) times.delete(name) // the latter is the profiler's own beginning and end
  print('| own time a request | function |')
  print('|--:|---|')
  for (const [name, time] of [...times].sort((a, b) => b[1] - a[1]).slice(0, 25)) {
    print(`| ${(time / USERS).toFixed(1)} µs | ${name} |`)
  }
}

function nameOf({ functionName, url, lineNumber }) {
  const place = url.split(/\/(?=dist\/|node_modules\/)/).at(-1)
  return place ? `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}` : functionName
}
