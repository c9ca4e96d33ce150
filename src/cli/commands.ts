import type { Command } from './command.js'

/** Each is loaded when it is needed: most of them need no mail server and no Express. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./commands/check.js')).check,
  list: async () => (await import('./commands/list.js')).list,
  vars: async () => (await import('./commands/vars.js')).vars,
  eject: async () => (await import('./commands/eject.js')).eject,
  diff: async () => (await import('./commands/diff.js')).diff,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
}
